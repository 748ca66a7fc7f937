/**
 * What Linux says of its TCP sockets in /proc/self/net/tcp and tcp6 (see proc_pid_net(5)): a line for each, with its ends in hexadecimal
 * and the bytes that its peer has not acknowledged. Text only: who reads the files is send-queues.ts.
 */
import { endianness } from 'node:os'
import { mapped, parseIp } from '../lib/ip.ts'
import type { Ends } from './proxy-protocol/ends.ts'

/** A line of tcp or tcp6: number, local end, remote end, state, bytes not acknowledged. */
const LINE = /^ *\d+: (\S+) (\S+) [0-9A-F]{2} ([0-9A-F]{8}):/gm

const isLittle = endianness() === 'LE'
/** In words of the machine, before an address of version 4: one that is mapped into version 6 looks so in tcp6. */
const mappedPart = `0000000000000000${words('0000ffff', isLittle)}`
const digitsOfVersion4 = 8 + ':0000'.length

/** Bytes that are not acknowledged, by `socketKey`. @param text of both files, or of one */
export function readSendQueues(text: string): Map<string, number> {
  const queues = new Map<string, number>()
  for (const [, local = '', remote = '', bytes = ''] of text.matchAll(LINE)) {
    queues.set(`${version6(local)} ${version6(remote)}`, Number.parseInt(bytes, 16))
  }
  return queues
}

/** Undefined for a socket that is gone. */
export function socketKey({ source, destination }: Ends): string | undefined {
  const [local, remote] = [endKey(destination), endKey(source)]
  return local === undefined || remote === undefined ? undefined : `${local} ${remote}`
}

function endKey({ address, port }: Ends['source']): string | undefined {
  const ip = parseIp(address.split('%', 1)[0] ?? '')
  if (ip === undefined) return undefined
  const digits = words(mapped(ip).bits.toString(16).padStart(32, '0'), isLittle)
  return `${digits}:${port.toString(16).toUpperCase().padStart(4, '0')}`
}

function version6(end: string): string {
  return end.length === digitsOfVersion4 ? mappedPart + end : end
}

/** The kernel prints four bytes at a time, as one number of the machine's. */
function words(digits: string, little: boolean): string {
  const upper = digits.toUpperCase()
  return little ? upper.replaceAll(/(..)(..)(..)(..)/g, '$4$3$2$1') : upper
}
