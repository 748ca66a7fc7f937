/** The processes of Gatewright in the cluster, as those inside see them. */
import { readdirSync, readFileSync } from 'node:fs'

/** Ids of the processes of controllers, in the cluster's own numbers. */
export function controllerProcesses(): readonly number[] {
  return processesWith('dist/cli/main.js', 'controller')
}

/** Of one Gateway, `namespace/name`. */
export function proxyProcesses(gateway: string): readonly number[] {
  return processesWith('dist/cli/main.js', 'proxy', `--gateway=${gateway}`)
}

function processesWith(...words: readonly string[]): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((id) => {
      const args = argumentsOf(id)
      return words.every((word) => args.some((argument) => argument === word || argument.endsWith(`/${word}`)))
    })
    .map(Number)
}

function argumentsOf(id: string): readonly string[] {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0')
  } catch {
    // It has ended meanwhile.
    return []
  }
}

export function environmentOf(id: number, name: string): string | undefined {
  const found = readFileSync(`/proc/${id}/environ`, 'utf8')
    .split('\0')
    .find((entry) => entry.startsWith(`${name}=`))
  return found?.slice(name.length + 1)
}

/** Megabytes. */
export function residentMemory(id: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1]) / 1024
}

/** Seconds of user and system time; the clock ticks in hundredths. */
export function processorTime(id: number): number {
  // The program's name may hold anything; the fields after its parenthesis are numbers.
  const fields = readFileSync(`/proc/${id}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}
