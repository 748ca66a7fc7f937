/**
 * Reads a ClientHello before TLS does, for what decides where a connection goes: its server name and its protocols.
 *
 * It takes all bytes so far and says whether they suffice. The message may lie in several records and each record in
 * several segments (hellos with post-quantum key shares exceed 1.5 KiB). It refuses only what it cannot read with
 * certainty; whether versions, ciphers and key shares are good is for TLS itself to say.
 * Sources: RFC 8446 sections 4.1.2, 4.2 and 5.1, RFC 6066 section 3, RFC 7301 section 3.1.
 */

export type ClientHelloResult =
  /** More bytes are needed. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'hello'; readonly hello: ClientHello }
  /** Never a ClientHello, whatever follows. */
  | { readonly kind: 'refused'; readonly reason: string }

export interface ClientHello {
  /** Lower case, without a final dot; undefined when the client named none. */
  readonly serverName: string | undefined
  /** Protocols of ALPN as byte strings, in the client's order, unknown and GREASE values included; empty without the extension. */
  readonly protocols: readonly string[]
}

const handshakeRecord = 22
const clientHelloMessage = 1
const recordHeader = 5
const messageHeader = 4
/** RFC 8446 section 5.1: a plaintext record's content. */
const recordMaximum = 16_384
const serverNameExtension = 0
const alpnExtension = 16

/** @param limit bytes on the wire, headers of records included, that a hello may take */
export function readClientHello(bytes: Buffer, limit: number): ClientHelloResult {
  const parts: Buffer[] = []
  let collected = 0
  let wanted = messageHeader
  let at = 0
  while (collected < wanted) {
    if (bytes.length > at && bytes[at] !== handshakeRecord) return refused('not a TLS handshake')
    if (bytes.length > at + 1 && bytes[at + 1] !== 3) return refused('not a TLS record version')
    if (bytes.length < at + recordHeader) return incompleteWithin(at + recordHeader, limit)
    const length = bytes.readUInt16BE(at + 3)
    if (length === 0 || length > recordMaximum) return refused('a record of illegal length')
    const part = bytes.subarray(at + recordHeader, at + recordHeader + length)
    parts.push(part)
    collected += part.length
    if (wanted === messageHeader && collected >= messageHeader) {
      const header = parts.length === 1 ? part : Buffer.concat(parts)
      if (header[0] !== clientHelloMessage) return refused('not a ClientHello')
      wanted = messageHeader + header.readUIntBE(1, 3)
      if (wanted + recordHeader > limit) return refused('a ClientHello that is too long')
    } else if (part.length > 0 && parts[0]?.[0] !== clientHelloMessage) return refused('not a ClientHello')
    if (part.length < length && collected < wanted) return incompleteWithin(bytes.length + 1, limit)
    at += recordHeader + length
  }
  const message = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
  const hello = readBody(new Fields(message.subarray(messageHeader, wanted)))
  return hello === undefined ? refused('a malformed ClientHello') : { kind: 'hello', hello }
}

function incompleteWithin(needed: number, limit: number): ClientHelloResult {
  return needed > limit ? refused('a ClientHello that is too long') : { kind: 'incomplete' }
}

function refused(reason: string): ClientHelloResult {
  return { kind: 'refused', reason }
}

/** Undefined when the lengths do not add up, an extension comes twice or a name is no name. */
function readBody(fields: Fields): ClientHello | undefined {
  fields.skip(2 + 32)
  fields.vector(1)
  fields.vector(2)
  fields.vector(1)
  // Extensions may be absent as a whole before TLS 1.3.
  const extensions = fields.left > 0 ? fields.vector(2) : new Fields(Buffer.alloc(0))
  if (fields.broken || fields.left > 0) return undefined
  let serverName: string | undefined
  let protocols: readonly string[] = []
  const seen = new Set<number>()
  while (extensions.left > 0) {
    const type = extensions.number(2)
    const content = extensions.vector(2)
    if (extensions.broken || seen.has(type)) return undefined
    seen.add(type)
    if (type === serverNameExtension) {
      serverName = readServerName(content)
      if (serverName === undefined) return undefined
    } else if (type === alpnExtension) {
      protocols = readProtocols(content)
      if (protocols.length === 0) return undefined
    }
  }
  return { serverName, protocols }
}

/** One name of type host_name: RFC 6066 allows one of a type and defines no other type. */
function readServerName(content: Fields): string | undefined {
  const list = content.vector(2)
  const type = list.number(1)
  const name = list.vector(2)
  if (content.broken || content.left > 0 || list.broken || list.left > 0 || type !== 0) return undefined
  const text = name.text()
  return /^[\x21-\x7e]{1,255}$/.test(text) ? normalServerName(text) : undefined
}

/** Lower case, without a final dot. */
export function normalServerName(name: string): string {
  return name.toLowerCase().replace(/(?<=.)\.$/, '')
}

function readProtocols(content: Fields): string[] {
  const list = content.vector(2)
  const protocols: string[] = []
  while (list.left > 0 && !list.broken) protocols.push(list.vector(1).text())
  return content.broken || content.left > 0 || list.broken || protocols.includes('') ? [] : protocols
}

/** Walks numbers and length-prefixed vectors. Reading past the end sets `broken` and gives zeros. */
class Fields {
  broken = false
  readonly #bytes: Buffer
  readonly #end: number
  #at: number

  constructor(bytes: Buffer, from = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#at = from
    this.#end = end
  }

  get left(): number {
    return this.#end - this.#at
  }

  skip(count: number): void {
    if (count > this.left) {
      this.broken = true
      this.#at = this.#end
    } else this.#at += count
  }

  number(width: 1 | 2): number {
    const at = this.#at
    this.skip(width)
    if (this.broken) return 0
    return width === 1 ? (this.#bytes[at] ?? 0) : this.#bytes.readUInt16BE(at)
  }

  /** A vector whose length takes `width` bytes. */
  vector(width: 1 | 2): Fields {
    const length = this.number(width)
    const at = this.#at
    this.skip(length)
    const inner = new Fields(this.#bytes, at, this.broken ? at : at + length)
    inner.broken = this.broken
    return inner
  }

  text(): string {
    return this.#bytes.toString('latin1', this.#at, this.#end)
  }
}
