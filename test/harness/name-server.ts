/** A DNS server on a real socket that says what a test wants (RFC 1035 section 4.1): addresses, no such name, a failure, or nothing at all. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { parseIp } from '../../src/lib/ip.ts'

/** Seconds to live. 'absent': no such name; 'failed': SERVFAIL; 'silent': no answer comes. */
export type Zone = { readonly addresses: readonly string[]; readonly ttl?: number } | 'absent' | 'failed' | 'silent'

const A = 1
const AAAA = 28

export class NameServer {
  /** By name in lower case; others are absent. */
  readonly zones = new Map<string, Zone>()
  /** `A name`, `AAAA name`, in the order in which they came. */
  readonly questions: string[] = []
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (message, { address, port }) => {
      const answer = this.#answer(message)
      if (answer !== undefined) socket.send(answer, port, address)
    })
  }

  static async listen(): Promise<NameServer> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return new NameServer(socket)
  }

  /** As `nameServers` takes it. */
  get place(): string {
    return `127.0.0.1:${this.#socket.address().port}`
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.close(() => resolve())
    })
  }

  #answer(message: Buffer): Buffer | undefined {
    const labels: string[] = []
    let at = 12
    for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
      labels.push(message.toString('latin1', at + 1, at + 1 + length))
      at += length + 1
    }
    const question = message.subarray(12, at + 5)
    const type = message.readUInt16BE(at + 1)
    const name = labels.join('.').toLowerCase()
    this.questions.push(`${type === AAAA ? 'AAAA' : 'A'} ${name}`)
    const zone = this.zones.get(name) ?? 'absent'
    if (zone === 'silent') return undefined
    const records = typeof zone === 'string' ? [] : recordsOf(zone.addresses, type, zone.ttl ?? 0)
    const head = Buffer.alloc(12)
    message.copy(head, 0, 0, 2)
    head.writeUInt16BE(0x8180 | (zone === 'absent' ? 3 : zone === 'failed' ? 2 : 0), 2)
    head.writeUInt16BE(1, 4)
    head.writeUInt16BE(records.length, 6)
    return Buffer.concat([head, question, ...records])
  }
}

function recordsOf(addresses: readonly string[], type: number, ttl: number): Buffer[] {
  return addresses.flatMap((address) => {
    const ip = parseIp(address)
    const size = type === AAAA ? 16 : 4
    if (ip === undefined || (ip.version === 6 ? AAAA : A) !== type) return []
    const record = Buffer.alloc(12 + size)
    // The name is that of the question, at byte 12.
    record.writeUInt16BE(0xc00c, 0)
    record.writeUInt16BE(type, 2)
    record.writeUInt16BE(1, 4)
    record.writeUInt32BE(ttl, 6)
    record.writeUInt16BE(size, 10)
    record.write(ip.bits.toString(16).padStart(size * 2, '0'), 12, 'hex')
    return [record]
  })
}
