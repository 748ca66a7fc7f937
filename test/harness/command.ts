/** Starts the real commands as child processes, as a shell would: no terminal, an environment of their own. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { builtCommand, root } from './command-build.ts'

export interface CommandOptions {
  /** What standard input holds; it ends after that. */
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  /** How many file descriptors it may have; absent: as many as this process. */
  readonly descriptors?: number
}

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export function spawnCommand(
  args: readonly string[],
  { input = '', env = {}, descriptors }: CommandOptions = {},
): ChildProcessWithoutNullStreams {
  const command = [process.execPath, builtCommand(), ...args]
  const limited = descriptors === undefined ? command : ['/bin/sh', '-c', `ulimit -n ${descriptors} && exec "$@"`, 'sh', ...command]
  const [file = '', ...rest] = limited
  const child = spawn(file, rest, {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
  })
  child.stdout.setEncoding('utf8')
  child.stderr.setEncoding('utf8')
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return child
}

/** Runs a command that ends by itself; one that does not is killed after ten seconds and has no code. */
export async function runCommand(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const child = spawnCommand(args, options)
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (text: string) => (stdout += text))
  child.stderr.on('data', (text: string) => (stderr += text))
  await once(child, 'close')
  clearTimeout(timer)
  return { code: child.exitCode, stdout, stderr }
}
