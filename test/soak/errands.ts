/** Requests of well-behaved clients through each filter and to backends that die: what they ask, and what is right. */
import { pause } from '../harness/eventually.ts'
import type { Answer, Question, Way } from '../load/exchange.ts'
import type { Testimony } from '../load/expectation.ts'
import { filler } from '../load/filler.ts'
import type { Random } from '../load/random.ts'
import type { Mortality } from './mortality.ts'
import { host } from './scenery.ts'

export interface Errand {
  readonly name: string
  /** One question after the other; `cookie` is what the last answer of this client set. */
  ask(token: string, random: Random, cookie: string | undefined): Question
  /** What is wrong with the answer; `body` is what must have come back. */
  fault(answer: Answer, question: Question, first: Answer | undefined): string | undefined
  /** Its backends die: then an answer may be missing, broken or of the gateway's own. */
  readonly mortal?: boolean
  readonly speech?: 'grpc'
}

export interface ErrandTally {
  asked: number
  right: number
  /** Failures that a death explains. */
  explained: number
  readonly failures: string[]
}

function get(path: string, random: Random, token: string, headers: Readonly<Record<string, string>> = {}): Question {
  const size = random.below(3) === 0 ? random.below(300_000) : random.below(500)
  return { host, path, query: `?token=${token}&size=${size}${random.below(2) === 0 ? '&chunked=1' : ''}`, headers }
}

/** With a body of any size that comes back. */
function post(path: string, random: Random, token: string, most: number): Question {
  return { host, path, query: `?token=${token}`, body: filler(token, random.below(most)), chunked: random.below(2) === 0 }
}

/** The backend's answer: its testimony about the request, and its body. */
function served(answer: Answer, question: Question, more: (testimony: Testimony) => boolean = () => true): string | undefined {
  if (answer.status !== 200) return `the status is ${answer.status}`
  const lineEnd = answer.body.indexOf('\n')
  const testimony = JSON.parse(answer.body.slice(0, lineEnd)) as Testimony
  if (testimony.path !== question.path || !more(testimony)) return `the backend saw ${JSON.stringify(testimony)}`
  const query = new URLSearchParams(question.query)
  const body = question.body ?? filler(query.get('token') ?? '', Number(query.get('size') ?? 0))
  return answer.body.slice(lineEnd + 1) === body
    ? undefined
    : `the body differs: ${answer.body.length - lineEnd - 1} bytes of ${body.length}`
}

export const errands: readonly Errand[] = [
  {
    name: 'mirrored',
    ask: (token, random) => (random.below(2) === 0 ? get('/mirrored', random, token) : post('/mirrored', random, token, 100_000)),
    fault: (answer, question) => served(answer, question, ({ backend }) => backend === 'gift-1'),
  },
  {
    name: 'retried',
    ask: (token, random) => (random.below(2) === 0 ? get('/retried', random, token) : post('/retried', random, token, 50_000)),
    fault: (answer, question) => served(answer, question, ({ backend }) => backend.startsWith('flaky')),
  },
  {
    name: 'CORS preflight',
    ask: (token) => ({
      host,
      method: 'OPTIONS',
      path: '/cors',
      query: `?token=${token}`,
      headers: { origin: 'https://www.example.com', 'access-control-request-method': 'PUT' },
    }),
    fault: ({ status, headers }) =>
      status === 204 && headers.get('access-control-allow-origin') === 'https://www.example.com'
        ? undefined
        : `status ${status}, ${JSON.stringify([...headers])}`,
  },
  {
    name: 'CORS',
    ask: (token, random) => get('/cors', random, token, { origin: 'https://www.example.com' }),
    fault: (answer, question) =>
      answer.headers.get('access-control-allow-credentials') === 'true' ? served(answer, question) : 'the CORS fields are missing',
  },
  {
    name: 'authorised',
    ask: (token, random) => get('/guarded', random, token, { authorization: 'Bearer good' }),
    fault: (answer, question) => served(answer, question, ({ edition }) => edition === 'anna'),
  },
  {
    name: 'not authorised',
    ask: (token, random) => get('/guarded', random, token, { authorization: 'Bearer bad' }),
    fault: ({ status }) => (status === 401 ? undefined : `the status is ${status}`),
  },
  {
    name: 'session',
    ask: (token, random, cookie) => get('/session', random, token, cookie === undefined ? {} : { cookie }),
    fault: (answer, question, first) =>
      served(answer, question, ({ backend }) => first === undefined || first.body.startsWith(`{"backend":"${backend}"`)),
  },
  {
    name: 'mortal, retries',
    mortal: true,
    ask: (token, random) => get('/mortal', random, token),
    fault: (answer, question) => served(answer, question, ({ backend }) => backend.startsWith('mortal')),
  },
  {
    name: 'mortal, no retries',
    mortal: true,
    ask: (token, random) => (random.below(2) === 0 ? get('/frail', random, token) : post('/frail', random, token, 200_000)),
    fault: (answer, question) => served(answer, question, ({ backend }) => backend.startsWith('mortal')),
  },
  {
    name: 'mortal, gRPC',
    mortal: true,
    speech: 'grpc',
    ask: (token, random) => ({
      host,
      isCall: true,
      path: '/test.Herald/ask',
      query: `?token=${token}`,
      body: filler(token, 1 + random.below(20_000)),
    }),
    fault: (answer, question) => served(answer, question, ({ backend }) => backend.startsWith('herald')),
  },
]

const longestPause = 800

/** On the clock of this process, so that failures can be put beside each other. */
export function moment(time: number): string {
  return `at ${(time / 1_000).toFixed(1)} s`
}

/** Over and over until `stop`. */
export async function runErrand(
  client: string,
  errand: Errand,
  way: Way,
  random: Random,
  mortality: Mortality,
  tally: ErrandTally,
  stop: AbortSignal,
): Promise<void> {
  let cookie: string | undefined
  let first: Answer | undefined
  for (let number = 0; !stop.aborted; number++) {
    const question = errand.ask(`${client}-${number}`, random, cookie)
    const began = performance.now()
    const wrong = await way.ask(question).then(
      (answer) => {
        const fault = errand.fault(answer, question, first)
        cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? cookie
        first ??= answer
        return fault
      },
      (error: Error) => error.message,
    )
    tally.asked += 1
    if (wrong === undefined) tally.right += 1
    else if (errand.mortal === true && mortality.explains(began)) tally.explained += 1
    else tally.failures.push(`${moment(began)} ${errand.name} ${question.path}${question.query}: ${wrong}`)
    await pause(random.below(longestPause))
  }
  way.close()
}
