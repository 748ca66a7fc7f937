/** Clients that ask without end and judge each answer by the worlds that may have given it. */
import { pause } from '../harness/eventually.ts'
import { type Answer, type Question, Unanswered, type Way } from './exchange.ts'
import { expectationOf, meets, type Testimony } from './expectation.ts'
import { filler } from './filler.ts'
import { Http2Way } from './http2-way.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'
import { passingCalls, passingRoutes, passingRules, wanderings, type World } from './world.ts'

/** What the load has seen so far. */
export interface Tally {
  requests: number
  bytes: number
  /** Milliseconds, less what a backend was asked to wait. */
  longest: number
  /** Over WebSockets. */
  messages: number
  /** Messages over gRPC streams. */
  streamed: number
  handshakes: number
  /** Connections to a listener that was gone, or that ended between two requests because it went. */
  turnedAway: number
  /** The connections that each client has had an answer on, by name. */
  readonly connections: Map<string, Set<object>>
  readonly failures: string[]
}

export interface Load {
  readonly timeline: Timeline
  /** Tokens of the requests that a backend has got. */
  readonly reached: ReadonlySet<string>
  readonly tally: Tally
  readonly stop: AbortSignal
  /** Between two requests of a client, milliseconds at most. */
  readonly longestPause: number
}

export interface ClientOptions {
  readonly way: Way
  /** Of the connection; absent for clear text. */
  readonly serverName?: string
  readonly random: Random
  /** What it asks for; absent: the whole mixture of HTTP. */
  readonly asks?: (token: string, random: Random) => Question
  /** The passing listener that it comes through: while that is gone, a connection may be refused or end between two requests. */
  readonly listener?: string
  /** Requests under way at a time, over one connection. */
  readonly lanes?: number
}

export async function runClient(name: string, options: ClientOptions, load: Load): Promise<void> {
  const lanes = Array.from({ length: options.lanes ?? 1 }, (_, lane) => runLane(name, `${name}-${lane}`, options, load))
  await Promise.all(lanes)
  options.way.close()
}

async function runLane(name: string, lane: string, options: ClientOptions, load: Load): Promise<void> {
  const { way, random, asks = anyQuestion, listener, serverName } = options
  const { timeline, reached, tally, stop, longestPause } = load
  let known = timeline.settled
  for (let number = 0; !stop.aborted; number++) {
    const token = `${lane}-${number}`
    const question = { ...asks(token, random), ...(serverName === undefined ? {} : { serverName }) }
    const mark = timeline.settled
    const began = performance.now()
    try {
      const answer = await way.ask(question)
      const took = performance.now() - began
      const connections = tally.connections.get(name) ?? new Set()
      tally.connections.set(name, connections.add(answer.connection))
      // RFC 9113 section 6.8: what a client sent before it read the notice that its connection ends is taken and answered.
      const since = listener !== undefined && way instanceof Http2Way ? known : mark
      const wrong = fault(question, answer, timeline.since(since), listener)
      if (wrong !== undefined) tally.failures.push(`${lane} ${question.path}${question.query}: ${wrong}`)
      tally.requests += 1
      tally.bytes += answer.body.length + (question.body?.length ?? 0)
      if (question.pieces === undefined && !question.query.includes('delay')) tally.longest = Math.max(tally.longest, took)
    } catch (error) {
      // A connection that was idle when its listener went may show it only now: the worlds since its last answer count.
      // A request that has come through before the end is answered.
      const gone = listener !== undefined && timeline.since(known).some(({ listeners }) => !listeners.includes(listener))
      if (gone && error instanceof Unanswered && !reached.has(token)) tally.turnedAway += 1
      else
        tally.failures.push(
          `${lane} ${question.path}${question.query}: ${(error as Error).message}${reached.has(token) ? ', a backend has got it' : ''}`,
        )
    }
    known = mark
    await pause(random.below(longestPause))
  }
}

/** Of a passing listener, whose host may have only one path. */
export function passingQuestion(host: string): (token: string, random: Random) => Question {
  return (token, random) => ({ host, path: '/shop/here', query: `?token=${token}&delay=${random.below(4) === 0 ? random.below(100) : 0}` })
}

export function anyCall(token: string, random: Random): Question {
  const chance = random.below(100)
  const delay = random.below(10) === 0 ? `&delay=${random.below(100)}` : ''
  const call = (path: string): Question => ({
    isCall: true,
    host: 'shop.example.com',
    path: `/test.${path}`,
    query: `?token=${token}${delay}`,
    // Not empty: grpc-js takes an empty message of text for none.
    body: filler(token, 1 + random.below(random.below(5) === 0 ? 100_000 : 200)),
  })
  if (chance < 50) return call('Shop/buy')
  if (chance < 65) return call(`Shop/${random.oneOf(passingRules)}`)
  if (chance < 73) return call('Twin/ask')
  if (chance < 80) return call('Rival/ask')
  return call(`${random.oneOf(passingCalls)}/ask`)
}

function anyQuestion(token: string, random: Random): Question {
  const size = random.below(100_000)
  const chance = random.below(100)
  const chunked = random.below(2) === 0
  const query = `?token=${token}`
  const at = (path: string, more = '', host = 'shop.example.com'): Question => ({ host, path, query: query + more })
  if (chance < 36) return at('/shop/item')
  if (chance < 45) return at('/shop/large', `&size=${size}${chunked ? '&chunked=1' : ''}`)
  if (chance < 54) return { ...at('/shop/upload'), body: filler(token, size), chunked }
  if (chance < 59) return at('/shop/slow', `&delay=${50 + (size % 100)}`)
  if (chance < 62) return { ...at('/shop/slow-upload'), body: filler(token, size + 5), chunked, pieces: 5 }
  if (chance < 68) return at('/swift/large', `&size=${size}${chunked ? '&chunked=1' : ''}`)
  if (chance < 72) return { ...at('/swift/upload'), body: filler(token, size), chunked }
  if (chance < 78) return at(`/shop/${random.oneOf(passingRules)}`)
  if (chance < 83) return at('/twin')
  if (chance < 88) return at('/rival')
  if (chance < 94) return at(`/${random.oneOf(passingRoutes)}`)
  return at('/', '', `w${random.below(wanderings)}.example.com`)
}

/**
 * What is wrong with an answer, if anything.
 * @param worlds one of them must have given it
 */
function fault(question: Question, { status, headers, body }: Answer, worlds: readonly World[], listener?: string): string | undefined {
  if (listener !== undefined && !worlds.some(({ listeners }) => listeners.includes(listener)))
    return `listener ${listener} is gone and answers`
  const served = status === 200
  const lineEnd = body.indexOf('\n')
  const testimony = served ? (JSON.parse(body.slice(0, lineEnd)) as Testimony) : undefined
  const observed = { status, testimony, edition: headers.get('x-edition') }
  const expected = worlds.map((world) => expectationOf(world, question))
  if (!expected.some((one) => meets(observed, question, one)))
    return `got ${JSON.stringify(observed)}${served ? '' : ` (${body.trim()})`}, expected ${JSON.stringify(expected)}`
  if (!served) return undefined
  const query = new URLSearchParams(question.query)
  const rest = question.body ?? filler(query.get('token') ?? '', Number(query.get('size') ?? 0))
  return body.slice(lineEnd + 1) === rest ? undefined : `the body differs: ${body.length - lineEnd - 1} bytes came of ${rest.length}`
}
