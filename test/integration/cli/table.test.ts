import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { runCommand, spawnCommand } from '../../harness/command.ts'
import { eventually } from '../../harness/eventually.ts'
import { ExampleCopy } from '../../harness/example-copy.ts'
import { freePort } from '../../harness/running-gateway.ts'
import { folder } from '../../unit/sources/folder.ts'

/** `run` as a person sees it, up to the end of its table; `more` is what it prints after that. */
async function shown(path: string, ...flags: readonly string[]) {
  const [http, https] = [await freePort(), await freePort()]
  const state = join(folder().path, "a person's state")
  const child = spawnCommand(['run', path, '--port', `80=${http}`, '--port', `443=${https}`, '--state-dir', state, ...flags])
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await once(child, 'close')
    expect(child.exitCode).toBe(0)
  })
  let text = ''
  child.stdout.on('data', (part: string) => {
    text += part
  })
  const table = await eventually(() => (/^health, .*\n/m.test(text) ? text : undefined), 'the table', 5_000)
  return { table, http, https, state, more: () => text.slice(table.length) }
}

function lineWith(text: string, word: string): string {
  return text.split('\n').find((line) => line.includes(word)) ?? ''
}

const hardToAsk = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: words }
spec:
  parentRefs: [{ name: web }]
  hostnames: [words.example.com]
  rules:
    - matches: [{ path: { type: RegularExpression, value: "/v[0-9]+" } }]
      backendRefs: [{ name: s, port: 80 }]
    - matches: [{ path: { type: PathPrefix, value: /x }, headers: [{ name: it, value: isn't }], queryParams: [{ name: q, value: "a&b" }] }]
      backendRefs: [{ name: s, port: 80 }]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: head }
spec:
  parentRefs: [{ name: web }]
  hostnames: [head.example.com]
  rules:
    - matches: [{ method: HEAD }]
      backendRefs: [{ name: s, port: 80 }]
`

/** The statuses that the printed curl lines get; a line that curl or the shell fails on gives its exit status. */
function answersOfPrinted(table: string): string[] {
  const lines = table.split('\n').filter((line) => /^ +curl -?.*https?:\/\//.test(line))
  expect(lines.length).toBeGreaterThan(0)
  return lines.map((line) => {
    const asked = line.replace('curl', "curl -s -o /dev/null --max-time 3 -w '%{http_code}'")
    const { stdout, status } = spawnSync('sh', ['-c', asked], { encoding: 'utf8' })
    return status === 0 ? stdout : `${line} ended with ${status}`
  })
}

const hasCurl = spawnSync('curl', ['--version']).status === 0

describe('the table of gatewright run', () => {
  it('shows Gateways, listeners with their places, routes with their state, and every kindness', async () => {
    const { table, https, state } = await shown('examples/canary')
    expect(lineWith(table, 'HTTPS 443')).toMatch(new RegExp(`^ +https +HTTPS 443 +-> 127\\.0\\.0\\.1:${https} .*1 route .*ok`))
    expect(lineWith(table, 'HTTPRoute app-team-alpha/canary-route')).toMatch(/myapp\.example\.com +on my-app-gateway +ok/)
    expect(lineWith(table, 'my-app-stable')).toContain('an echo backend answers for it')
    expect(lineWith(table, 'no usable certificate')).toContain('development certificate for localhost, myapp.example.com')
    expect(table).toContain(join(state, 'ca', 'ca.pem').replaceAll("'", `'\\''`))
    expect(table).not.toContain('\u001b')
  })

  it('shows ListenerSets below their Gateway, with what they have and what others had first', async () => {
    const { table, http, https } = await shown('examples/listener-set')
    const below = table.slice(table.indexOf('platform/shared'), table.indexOf('\nRoutes')).split('\n')
    expect(below.map((line) => line.trim().split(/ {2,}/)[0])).toEqual([
      expect.stringMatching(/^platform\/shared/),
      'status',
      'ListenerSet lab/lab',
      'ListenerSet outlet/outlet',
      'outlet',
      'store',
      'ListenerSet store/store',
      'http',
      'https',
      '',
    ])
    expect(lineWith(table, '    ListenerSet lab/lab')).toMatch(/Accepted False NotAllowed$/)
    expect(lineWith(table, '      outlet ')).toMatch(new RegExp(`HTTP 80 +-> 127\\.0\\.0\\.1:${http} +outlet\\.example\\.com, 1 route +ok`))
    expect(lineWith(table, '      store ')).toMatch(/not open +store\.example\.com, 1 route +Accepted False HostnameConflict$/)
    expect(lineWith(table, 'HTTPS 443')).toContain(`-> 127.0.0.1:${https}`)
    expect(lineWith(table, 'HTTPRoute store/store')).toMatch(/on ListenerSet store +ok$/)
    expect(table).toContain('listener "http" of ListenerSet store/store came first')
    expect(table).toContain('To let the Namespace be selected, apply:')
  })

  it('says of a route that is refused why, and what to add', async () => {
    const { table } = await shown('examples/multi-team')
    expect(lineWith(table, 'HTTPRoute lab/lab ')).toContain('Accepted False NotAllowedByListeners')
    expect(table).toMatch(/needs the label gateway=shared[^]*kind: Namespace\n +metadata:\n +name: lab\n +labels:\n +gateway: shared\n/)
  })

  it.skipIf(!hasCurl).each(['canary', 'tls', 'multi-team', 'matching'])(
    'prints curl lines for %s that work as printed',
    async (example) => {
      const { table } = await shown(`examples/${example}`)
      for (const answer of answersOfPrinted(table)) expect(answer).toMatch(/^(200|301)$/)
    },
  )

  it.skipIf(!hasCurl)('prints lines that begin with a header of the PROXY protocol where this machine must send one', async () => {
    const { table } = await shown('examples/canary', '--accept-proxy-protocol', '127.0.0.0/8')
    expect(table).toContain('curl --haproxy-protocol')
    for (const answer of answersOfPrinted(table)) expect(answer).toMatch(/^(200|301)$/)
    const tcp = await shown('examples/tcp', '--accept-proxy-protocol', '127.0.0.1')
    expect(lineWith(tcp.table, '| nc')).toMatch(/^ +\{ printf 'PROXY UNKNOWN\\r\\n'; cat; \} \| nc 127\.0\.0\.1 \d+$/)
    const other = await shown('examples/canary', '--accept-proxy-protocol', '192.0.2.1')
    expect(other.table).not.toContain('--haproxy-protocol')
  })

  it.skipIf(!hasCurl)('prints a curl line for a match that can be asked for literally, when the first one cannot', async () => {
    const place = folder({ 'routes.yaml': hardToAsk })
    const { table } = await shown(place.path)
    // The Gateway that nobody wrote serves both in clear text and over TLS.
    expect(answersOfPrinted(table)).toEqual(['200', '200', '200', '200'])
    expect(lineWith(table, 'http://words.example.com')).toContain("-H 'it: isn'\\''t'")
    expect(lineWith(table, 'http://head.example.com')).toContain('--head')
  })

  it('is followed by what changes: the label that is missing, and that all is well again', async () => {
    const files = new ExampleCopy('canary')
    const { more } = await shown(files.path)
    const labelled = files.read('namespace.yaml')
    files.save('namespace.yaml', labelled.replace('    purpose: routing\n', '    purpose: none\n'))
    await eventually(() => more().includes('purpose=routing'), 'the missing label')
    expect(more()).toMatch(/canary-route: .*Accepted False NotAllowedByListeners/)
    const before = more().length
    files.save('namespace.yaml', labelled)
    await eventually(() => /canary-route: .*ok/.test(more().slice(before)), 'the good news')
  })
})

describe('gatewright check', () => {
  it('groups by file what is wrong, with its place, and counts it', async () => {
    const { stdout } = await runCommand(['check', 'examples/multi-team'])
    expect(stdout).toMatch(
      /^examples\/multi-team\/team-lab\.yaml\n +error +13:3 [^]*gateway: shared\n\nexamples\/multi-team\/team-store\.yaml\n +error +15:3 /,
    )
    expect(stdout).toMatch(/\n15 objects in \d+ files\n2 errors, 0 warnings\n$/)
  })
})
