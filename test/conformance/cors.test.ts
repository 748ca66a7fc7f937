/** The suite's test of the CORS filter: what a preflight and the request after it are told, by the origin that asks. */
import { expect } from 'vitest'
import { conformanceTests } from './conformance.ts'
import { type Exchange, fieldOf } from './exchange.ts'
import type { Scene } from './scene.ts'
import { INFRA } from './suite-objects.ts'

const conformance = conformanceTests()

/** One of the values that the suite takes, without spaces; null: the field must not be there. */
type Told = Readonly<Record<string, readonly string[] | null>>

interface Question {
  readonly path: string
  readonly origin: string
  readonly method: string
  /** Of `Access-Control-Request-Headers`. */
  readonly headers?: string
}

conformance('HTTPRouteCORS', async (scene) => {
  scene.served('same-namespace', 'cors-multiple-origins-methods-headers', 'cors-wildcard-methods')
  for (const route of ['cors-wildcard-origin', 'cors-wildcard-methods-headers']) {
    scene.route('same-namespace', route, 'ResolvedRefs=True ResolvedRefs')
  }
  const headers = 'x-header-1, x-header-2'
  const eitherWay = (first: string, second: string) => [`${first},${second}`, `${second},${first}`]

  for (const origin of ['https://www.foo.com', 'https://www.bar.com', 'https://xpto.www.bar.com']) {
    await preflight(scene, { path: '/cors-1', origin, method: 'GET', headers }, [200, 204], {
      'allow-origin': [origin],
      'allow-methods': eitherWay('GET', 'OPTIONS'),
      'allow-headers': eitherWay('x-header-1', 'x-header-2'),
      'expose-headers': eitherWay('x-header-3', 'x-header-4'),
      'max-age': ['3600'],
      'allow-credentials': ['true'],
    })
  }
  for (const origin of ['https://www.foo.com', 'https://www.bar.com']) {
    await request(scene, { path: '/cors-1', origin, method: 'GET', headers }, { 'allow-origin': [origin] })
  }
  const stranger = { path: '/cors-1', origin: 'https://foobar.com', method: 'GET' }
  await preflight(scene, stranger, [200, 204, 403], { 'allow-origin': null })
  await request(scene, stranger, { 'allow-origin': null })

  await preflight(scene, { path: '/cors-2', origin: 'https://www.foo.com', method: 'POST' }, [200, 204], {
    'allow-origin': ['https://www.foo.com'],
    'allow-methods': ['POST', '*'],
    'allow-credentials': null,
  })

  for (const origin of ['https://foobar.com', 'https://foobar.com:12345']) {
    const any = { 'allow-origin': [origin, '*'], 'allow-credentials': null }
    const question = { path: '/cors-wildcard-origin', origin, method: 'PUT' }
    await preflight(scene, question, [200, 204], { ...any, 'allow-methods': ['PUT'] })
    await request(scene, question, any)
  }

  const origin = 'https://other.foo.com'
  const withCredentials = { 'allow-origin': [origin], 'allow-credentials': ['true'] }
  await preflight(scene, { path: '/cors-wildcard-methods-headers', origin, method: 'PUT', headers }, [200, 204], {
    ...withCredentials,
    'allow-methods': ['PUT'],
    'allow-headers': eitherWay('x-header-1', 'x-header-2'),
  })
  await request(scene, { path: '/cors-wildcard-methods-headers', origin, method: 'GET' }, withCredentials)

  const without = { 'allow-origin': [origin, '*'], 'allow-credentials': null }
  await preflight(scene, { path: '/cors-wildcard-methods-headers-unauth', origin, method: 'PUT', headers }, [200, 204], {
    ...without,
    'allow-methods': ['PUT', '*'],
    'allow-headers': [...eitherWay('x-header-1', 'x-header-2'), '*'],
  })
  await request(scene, { path: '/cors-wildcard-methods-headers-unauth', origin, method: 'GET' }, without)
})

/** The gateway answers it: no backend would send what these fields say. */
async function preflight(scene: Scene, question: Question, statuses: readonly number[], told: Told): Promise<void> {
  const answer = await ask(scene, 'OPTIONS', question)
  expect(statuses).toContain(answer.status)
  expectTold(question, answer, told)
}

/** It reaches the backend whatever its origin is. */
async function request(scene: Scene, question: Question, told: Told): Promise<void> {
  const answer = await ask(scene, question.method, question)
  expect(answer).toMatchObject({ status: 200, echo: { namespace: INFRA, path: question.path, method: question.method } })
  expectTold(question, answer, told)
}

function ask(scene: Scene, method: string, { path, origin, method: wanted, headers }: Question): Promise<Exchange> {
  return scene.send('same-namespace', path, method, [
    ['Origin', origin],
    ['Access-Control-Request-Method', wanted],
    ...(headers === undefined ? [] : [['Access-Control-Request-Headers', headers] as const]),
  ])
}

function expectTold(question: Question, { fields }: Exchange, told: Told): void {
  for (const [name, values] of Object.entries(told)) {
    const value = fieldOf(fields, `access-control-${name}`)?.replaceAll(' ', '')
    const said = `${question.path} from ${question.origin}: ${name}`
    if (values === null) expect(value, said).toBeUndefined()
    else expect(values, said).toContain(value)
  }
}
