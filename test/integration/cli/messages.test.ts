import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../../harness/command.ts'
import { Folder } from '../../unit/sources/folder.ts'

const helm =
  'apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Values.name }}\n{{- if .Values.ports }}\nspec: { ports: [] }\n{{- end }}\n'
const service = 'apiVersion: v1\nkind: Service\nmetadata: { name: s }\nspec: { ports: [{ port: 80 }] }\n'
const canary = 'examples/canary'
const request = ['--request', 'GET https://myapp.example.com/']

let place: Folder
const taken = createServer()

beforeAll(async () => {
  place = new Folder()
  place.write('no-manifest/notes.txt', 'nothing')
  place.write('services/s.yaml', service)
  place.write('charts/s.yaml', helm)
  place.write('settings/gatewright.yaml', 'ports: { 80: many }\n')
  place.write('settings/s.yaml', service)
  taken.listen(0, '127.0.0.1')
  await once(taken, 'listening')
})

afterAll(() => {
  place.remove()
  taken.close()
})

/** `PLACE` stands for the folder of the test, `TAKEN` for a port in use. */
async function result(args: readonly string[]) {
  const fill = (text: string): string => text.replace('PLACE', place.path).replace('TAKEN', `${(taken.address() as AddressInfo).port}`)
  return runCommand(args.map(fill))
}

interface Case {
  readonly args: readonly string[]
  readonly code: 1 | 2
  /** Each must stand in what is written to standard error. */
  readonly says: readonly string[]
}

const mistakes: Readonly<Record<string, Case>> = {
  'no such folder': { args: ['run', 'PLACE/nowhere'], code: 2, says: ['PLACE/nowhere', 'there is no such file or folder'] },
  'no such folder to check': { args: ['check', 'PLACE/nowhere'], code: 2, says: ['there is no such file or folder'] },
  'no such folder to translate': { args: ['translate', 'PLACE/nowhere'], code: 2, says: ['there is no such file or folder'] },
  'no path': { args: ['run'], code: 2, says: ['name a folder or a file', 'gatewright init DIR'] },
  'no path to check': { args: ['check'], code: 2, says: ['name a folder or a file'] },
  'no manifests': { args: ['run', 'PLACE/no-manifest'], code: 1, says: ['PLACE/no-manifest', '*.yaml'] },
  'no Gateway and no route': {
    args: ['run', 'PLACE/services'],
    code: 1,
    says: ['a Gateway or a route', 'got Service', 'gatewright init DIR'],
  },
  'only a Helm template': { args: ['run', 'PLACE/charts'], code: 1, says: ['Helm must render it'] },
  'settings that are wrong': { args: ['run', 'PLACE/settings'], code: 2, says: ['gatewright.yaml:1:', 'many'] },
  'no command that we know': { args: ['serve', canary], code: 2, says: ["unknown command 'serve'"] },
  'an unknown flag': { args: ['run', canary, '--prot', '80=81'], code: 2, says: ["unknown option '--prot'", '--port'] },
  'an unknown format': { args: ['check', canary, '-o', 'xml'], code: 2, says: ['json, yaml, sarif'] },
  'sarif of what is no findings': { args: ['translate', canary, '-o', 'sarif'], code: 2, says: ['json, yaml'] },
  'a request without URL': { args: ['explain', canary, '--request', 'GET'], code: 2, says: ["'METHOD URL'", "got 'GET'"] },
  'a request of another scheme': {
    args: ['explain', canary, '--request', 'GET ftp://a/'],
    code: 2,
    says: ['http:// or https://', 'ftp://a/'],
  },
  'no request': { args: ['explain', canary], code: 2, says: ['--request'] },
  'a header without a colon': { args: ['explain', canary, ...request, '-H', 'env'], code: 2, says: ["'name: value'", "'env'"] },
  'a Service without a target': {
    args: ['run', canary, '--service', 'a/b:80'],
    code: 2,
    says: ['namespace/name:port=host:port', 'got a/b:80'],
  },
  'a target without a port': { args: ['run', canary, '--service', 'a/b:80=localhost'], code: 2, says: ['host:port', 'got localhost'] },
  'a port without a place': { args: ['run', canary, '--port', '443'], code: 2, says: ['PORT=LOCAL', 'got 443'] },
  'a port beyond the last': { args: ['run', canary, '--port', '443=70000'], code: 2, says: ['from 1 to 65535', 'got 70000'] },
  'an address that is a name': {
    args: ['run', canary, '--address', 'localhost'],
    code: 2,
    says: ['must be an IP address', 'got localhost'],
  },
  'hops that are no number': { args: ['run', canary, '--trusted-hops', 'many'], code: 2, says: ['a number from 0 to 16', 'got many'] },
  'a peer that is no range': { args: ['run', canary, '--trust', 'me'], code: 2, says: ['CIDR', 'got me'] },
  'a sender of headers that is no range': {
    args: ['run', canary, '--accept-proxy-protocol', '10.0.0.0/33'],
    code: 2,
    says: ['--accept-proxy-protocol must be', 'CIDR', 'got 10.0.0.0/33'],
  },
  'an unknown bound': { args: ['run', canary, '--bound', 'patience=1'], code: 2, says: ['must be one of', 'got patience'] },
  'a variable without value': { args: ['check', canary, '--set', 'DOMAIN'], code: 2, says: ['VAR=value', 'got DOMAIN'] },
  'an admin port in use': { args: ['run', canary, '--admin-port', 'TAKEN'], code: 1, says: ['TAKEN must be free', '--admin-port'] },
  'an admin address where nobody listens': {
    args: ['explain', ...request, '--admin', 'http://127.0.0.1:9'],
    code: 2,
    says: ['--admin must be the admin address', 'http://127.0.0.1:9'],
  },
  'a folder that has files already': { args: ['init', canary], code: 1, says: ['must be a new or empty folder'] },
  'no folder to write to': { args: ['init'], code: 2, says: ["argument 'folder'"] },
}

describe('a mistake of the person at the keyboard', () => {
  it.concurrent.each(Object.entries(mistakes))('%s is told in a few lines, with its exit status', async (_name, { args, code, says }) => {
    const { code: got, stderr, stdout } = await result(args)
    const port = (taken.address() as AddressInfo).port
    for (const part of says) expect(stderr).toContain(part.replace('PLACE', place.path).replace('TAKEN', `${port}`))
    expect(got).toBe(code)
    expect(stdout).toBe('')
    expect(stderr).not.toMatch(/^ +at /m)
    expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(3)
  })

  it('shows where it was found out with --debug, before or behind the command', async () => {
    for (const args of [
      ['--debug', 'check', 'PLACE/nowhere'],
      ['check', 'PLACE/nowhere', '--debug'],
    ]) {
      const { code, stderr } = await result(args)
      expect(stderr).toMatch(/there is no such file or folder.*\n +at /)
      expect(code).toBe(2)
    }
  })
})

describe('help', () => {
  it('is asked for, and then no mistake', async () => {
    const [help, run, version] = await Promise.all([runCommand(['--help']), runCommand(['run', '--help']), runCommand(['--version'])])
    for (const command of ['run', 'check', 'translate', 'explain', 'init']) expect(help.stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
    for (const flag of [
      '--service',
      '--port',
      '--strict',
      '--address',
      '--admin-port',
      '--access-log',
      '--debug-header',
      '--accept-proxy-protocol',
      '--namespace',
      '--controller-name',
    ])
      expect(run.stdout).toContain(flag)
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect([help.code, run.code, version.code]).toEqual([0, 0, 0])
  })
})
