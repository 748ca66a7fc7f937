/** Runs a system tool to its end. */
import { spawn } from 'node:child_process'

/** Throws with what the tool said when it fails. Returns its standard output. */
export function runTool(program: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    const texts = { out: '', err: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.err += text))
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(texts.out)
      else reject(new Error(`Cannot run ${program} ${args.join(' ')}: it must end with 0, got ${code}: ${texts.err || texts.out}`))
    })
  })
}
