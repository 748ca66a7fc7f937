/** Reads messages for the tests of the codec: whole, or in pieces that are overwritten after each call, as a socket's buffer is. */
import type { Refusal } from '../../../src/proxy/http1/codec.ts'
import { type Body, DEFAULT_BODY_LIMITS, DEFAULT_HEAD_LIMITS, type HeadLimits } from '../../../src/proxy/http1/codec.ts'
import { BodyReader } from '../../../src/proxy/http1/body-reader.ts'
import { type RequestHead, RequestHeadReader } from '../../../src/proxy/http1/request-head.ts'
import { type Asked, type ResponseHead, ResponseHeadReader } from '../../../src/proxy/http1/response-head.ts'

interface HeadReading<Head> {
  /** undefined: the head is not complete. */
  readonly result: Head | Refusal | undefined
  /** Bytes up to the end of the head, or of the piece with which it was refused. */
  readonly taken: number
}

interface BodyReading {
  readonly data: string
  readonly end: 'more' | 'end' | 'refused'
  readonly reason: string | undefined
  readonly taken: number
  readonly trailers: [string, string][] | undefined
}

export function readRequest(
  text: string,
  cuts: readonly number[] = [],
  limits: HeadLimits = DEFAULT_HEAD_LIMITS,
): HeadReading<RequestHead> {
  return readHead(new RequestHeadReader(limits), text, cuts)
}

export function readResponse(
  text: string,
  asked: Asked = { method: 'GET', upgrade: '' },
  cuts: readonly number[] = [],
): HeadReading<ResponseHead> {
  const reader = new ResponseHeadReader(DEFAULT_HEAD_LIMITS, 10)
  reader.start(asked)
  return readHead(reader, text, cuts)
}

/** The head of a request that must be valid. */
export function request(text: string): RequestHead {
  const { result } = readRequest(text)
  if (result?.kind !== 'request') throw new Error(`Cannot read the request: it must be valid, got ${JSON.stringify(result)}`)
  return result
}

export function response(text: string, asked?: Asked): ResponseHead {
  const { result } = readResponse(text, asked)
  if (result?.kind !== 'response') throw new Error(`Cannot read the response: it must be valid, got ${JSON.stringify(result)}`)
  return result
}

export function readBody(text: string, body: Body, cuts: readonly number[] = []): BodyReading {
  const reader = new BodyReader(DEFAULT_BODY_LIMITS)
  reader.start(body)
  let data = ''
  let before = 0
  for (const piece of pieces(text, cuts)) {
    let at = 0
    for (;;) {
      const step = reader.step(piece, at)
      if (step === 'data') data += piece.toString('latin1', reader.from, reader.to)
      if (step === 'end' || step === 'refused') {
        const taken = step === 'end' ? before + reader.next : before + piece.length
        return { data, end: step, reason: reader.refusal?.reason, taken, trailers: reader.trailers?.entries() }
      }
      at = reader.next
      if (step === 'more') break
    }
    before += piece.length
    piece.fill(0)
  }
  return { data, end: 'more', reason: undefined, taken: before, trailers: undefined }
}

function readHead<Head>(
  reader: { push(chunk: Buffer, at: number): Head | Refusal | undefined; next: number },
  text: string,
  cuts: readonly number[],
): HeadReading<Head> {
  let before = 0
  for (const piece of pieces(text, cuts)) {
    const result = reader.push(piece, 0)
    const next = reader.next
    const refused = result !== undefined && (result as { kind: string }).kind === 'refused'
    piece.fill(0)
    if (result !== undefined) return { result, taken: before + (refused ? piece.length : next) }
    before += piece.length
  }
  return { result: undefined, taken: before }
}

function pieces(text: string, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text, 'latin1')
  const places = [0, ...new Set(cuts.filter((cut) => cut > 0 && cut < bytes.length)), bytes.length].sort((a, b) => a - b)
  return places.slice(1).map((to, i) => Buffer.from(bytes.subarray(places[i], to)))
}
