/** Clients that ask without end and judge each answer by the worlds that may have given it. */
import { Agent } from 'node:http'
import { Agent as TlsAgent, type AgentOptions } from 'node:https'
import type { Socket } from 'node:net'
import { pause } from '../../harness/eventually.ts'
import { type Answer, exchange, type Question, Unanswered, type Way } from './exchange.ts'
import { expectationOf, meets, type Testimony } from './expectation.ts'
import { filler } from './filler.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'
import { passingRoutes, passingRules, wanderings, type World } from './world.ts'

/** What the load has seen so far. */
export interface Tally {
  requests: number
  bytes: number
  /** Milliseconds, less what a backend was asked to wait. */
  longest: number
  messages: number
  handshakes: number
  /** Connections to a listener that was gone, or that ended between two requests because it went. */
  turnedAway: number
  /** How many connections each client has had an answer on, by name. */
  readonly connections: Map<string, number>
  readonly failures: string[]
}

export interface Load {
  readonly timeline: Timeline
  /** Tokens of the requests that a backend has got. */
  readonly reached: ReadonlySet<string>
  readonly tally: Tally
  readonly stop: AbortSignal
}

export interface ClientOptions {
  readonly port: number
  /** Present for TLS. */
  readonly tls?: AgentOptions
  readonly random: Random
  /** The only host it asks for; absent: the whole mixture. */
  readonly host?: string
  /** The passing listener that it comes through: while that is gone, a connection may be refused or end between two requests. */
  readonly listener?: string
  /** A connection for each request, else one for as many as it bears. */
  readonly fresh?: boolean
}

/** One connection at a time. */
export async function runClient(name: string, options: ClientOptions, load: Load): Promise<void> {
  const { port, tls, random, host, listener, fresh = false } = options
  const { timeline, reached, tally, stop } = load
  const settings = { keepAlive: !fresh, maxSockets: 1 }
  const agent = tls === undefined ? new Agent(settings) : new TlsAgent({ ...tls, ...settings, maxCachedSessions: 0 })
  const way: Way = { port, secure: tls !== undefined, agent }
  const sockets = new Set<Socket>()
  let known = timeline.settled
  for (let number = 0; !stop.aborted; number++) {
    const token = `${name}-${number}`
    const serverName = tls?.servername
    const question = { ...questionOf(token, random, host), ...(serverName === undefined ? {} : { serverName }) }
    const mark = timeline.settled
    const began = performance.now()
    try {
      const answer = await exchange(way, question)
      const took = performance.now() - began
      sockets.add(answer.socket)
      tally.connections.set(name, sockets.size)
      const wrong = fault(question, answer, timeline.since(mark), listener)
      if (wrong !== undefined) tally.failures.push(`${name} ${question.path}${question.query}: ${wrong}`)
      tally.requests += 1
      tally.bytes += answer.body.length + (question.body?.length ?? 0)
      if (question.pieces === undefined && !question.query.includes('delay')) tally.longest = Math.max(tally.longest, took)
    } catch (error) {
      // A connection that was idle when its listener went may show it only now: the worlds since its last answer count.
      // A request that has come through before the end is answered.
      const gone = listener !== undefined && timeline.since(fresh ? mark : known).some(({ listeners }) => !listeners.includes(listener))
      if (gone && error instanceof Unanswered && !reached.has(token)) tally.turnedAway += 1
      else tally.failures.push(`${name} ${question.path}${question.query}: ${(error as Error).message}`)
    }
    known = mark
    await pause(random.below(40))
  }
  agent.destroy()
}

function questionOf(token: string, random: Random, host: string | undefined): Question {
  const size = random.below(100_000)
  const chance = random.below(100)
  const chunked = random.below(2) === 0
  const query = `?token=${token}`
  const shop = (rest: string, more = ''): Question => ({ host: 'shop.example.com', path: `/shop/${rest}`, query: query + more })
  const elsewhere = (path: string, of = 'shop.example.com'): Question => ({ host: of, path, query })
  if (host !== undefined) return { ...elsewhere('/shop/here', host), query: `${query}&delay=${random.below(4) === 0 ? size % 100 : 0}` }
  if (chance < 40) return shop('item')
  if (chance < 50) return shop('large', `&size=${size}${chunked ? '&chunked=1' : ''}`)
  if (chance < 60) return { ...shop('upload'), body: filler(token, size), chunked }
  if (chance < 65) return shop('slow', `&delay=${50 + (size % 100)}`)
  if (chance < 68) return { ...shop('slow-upload'), body: filler(token, size + 5), chunked, pieces: 5 }
  if (chance < 76) return shop(random.oneOf(passingRules))
  if (chance < 83) return elsewhere('/twin')
  if (chance < 92) return elsewhere(`/${random.oneOf(passingRoutes)}`)
  return elsewhere('/', `w${random.below(wanderings)}.example.com`)
}

/**
 * What is wrong with an answer, if anything.
 * @param worlds one of them must have given it
 */
function fault(question: Question, { status, message, body }: Answer, worlds: readonly World[], listener?: string): string | undefined {
  if (listener !== undefined && !worlds.some(({ listeners }) => listeners.includes(listener)))
    return `listener ${listener} is gone and answers`
  const served = status === 200
  const lineEnd = body.indexOf('\n')
  const testimony = served ? (JSON.parse(body.slice(0, lineEnd)) as Testimony) : undefined
  const edition = message.headers['x-edition']
  const observed = { status, testimony, edition: edition === undefined ? undefined : String(edition) }
  const expected = worlds.map((world) => expectationOf(world, question))
  if (!expected.some((one) => meets(observed, question, one)))
    return `got ${JSON.stringify(observed)}, expected ${JSON.stringify(expected)}`
  if (!served) return undefined
  const query = new URLSearchParams(question.query)
  const rest = question.body ?? filler(query.get('token') ?? '', Number(query.get('size') ?? 0))
  return body.slice(lineEnd + 1) === rest ? undefined : `the body differs: ${body.length - lineEnd - 1} bytes came of ${rest.length}`
}
