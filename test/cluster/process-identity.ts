/** A process by its number and the moment it began, so that a number that was given again is not taken for it. */
import { readFileSync, readlinkSync } from 'node:fs'

export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks since the machine started (proc(5), field 22 of stat). */
  readonly began: string
}

/** Which numbering of processes a number belongs to. */
export function pidNamespace(): string {
  return readlinkSync('/proc/self/ns/pid')
}

export function thisProcess(): ProcessIdentity {
  return identityOf(process.pid) ?? { pid: process.pid, began: '' }
}

/** Undefined when there is no such process, or only what its parent has not collected yet. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in brackets, may contain anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : { pid, began: fields[19] ?? '' }
  } catch {
    return undefined
  }
}

export function isAlive({ pid, began }: ProcessIdentity): boolean {
  return identityOf(pid)?.began === began
}

/** From a file that holds one as JSON; undefined when there is none. */
export function readIdentity(path: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity
  } catch {
    return undefined
  }
}
