/** How many files and sockets this process may have open. */
import { readFileSync } from 'node:fs'

/** What a process may have open where the system does not tell. */
const assumed = 10_240

/** Node has raised its soft limit to the hard one by the time that this can be asked. */
export function descriptorLimit(): number {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))
    return line?.[1] === undefined ? assumed : Number(line[1])
  } catch {
    return assumed
  }
}
