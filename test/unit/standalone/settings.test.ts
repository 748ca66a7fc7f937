import { describe, expect, it } from 'vitest'
import { parseServiceMapping } from '../../../src/standalone/service-mapping.ts'
import { parseSettings } from '../../../src/standalone/settings.ts'
import { stateFolder } from '../../../src/standalone/state-folder.ts'
import { trustHints } from '../../../src/standalone/trust.ts'

describe('a Service mapping', () => {
  it('names a port of a Service and what answers for it', () => {
    expect(parseServiceMapping('app-team-alpha/my-app-stable:80=localhost:3000')).toEqual({
      namespace: 'app-team-alpha',
      name: 'my-app-stable',
      port: 80,
      target: { host: 'localhost', port: 3000 },
    })
    expect(parseServiceMapping('a/b:1=[::1]:65535').target).toEqual({ host: '::1', port: 65_535 })
  })

  it.each([
    ['a/b:80', 'the mapping must be namespace/name:port=host:port, got a/b:80'],
    ['b:80=localhost:1', 'the Service must be namespace/name:port, got b:80'],
    ['A/b:80=localhost:1', 'the Service must be namespace/name:port, got A/b:80'],
    ['a/b=localhost:1', 'the Service must be namespace/name:port, got a/b'],
    ['a/b:80=localhost', 'the target must be host:port, got localhost'],
    ['a/b:80=http://localhost:1', 'the target must be host:port, got http://localhost:1'],
    ['a/b:80=::1:1', 'the target must be host:port, got ::1:1'],
    ['a/b:0=localhost:1', 'it must be a number from 1 to 65535, got 0'],
    ['a/b:80=localhost:65536', 'it must be a number from 1 to 65535, got 65536'],
  ])('%s is refused', (text, message) => {
    expect(() => parseServiceMapping(text)).toThrow(message)
  })
})

describe('gatewright.yaml', () => {
  it('maps Services and ports and switches kindnesses', () => {
    const text = 'services:\n  app/shop:80: localhost:3000\nports: { 80: 9080 }\necho: false\ncertificates: true\ndebug-header: true\n'
    expect(parseSettings(text)).toEqual({
      settings: {
        mappings: [{ namespace: 'app', name: 'shop', port: 80, target: { host: 'localhost', port: 3000 } }],
        ports: new Map([[80, 9080]]),
        echo: false,
        certificates: true,
        debugHeader: true,
      },
      errors: [],
    })
  })

  it('sets bounds of the wire by their names', () => {
    const { settings, errors } = parseSettings('bounds:\n  head-time: 5000\n  http2-streams: 10\n  head: many\n  heads: 1\n')
    expect(settings.bounds).toEqual({ headTime: 5_000, http2Streams: 10 })
    expect(errors.map(({ line, column, message }) => `${line}:${column} ${message.replace(/one of .*,/, 'one of these,')}`)).toEqual([
      '4:3 Cannot set the bound head: it must be a whole number from 128 to 16777216 (bytes), got many',
      '5:3 Cannot set a bound: its name must be one of these, got heads',
    ])
    expect(parseSettings('bounds:\n').settings.bounds).toBeUndefined()
  })

  it('names the peers that send headers of the PROXY protocol', () => {
    const { settings, errors } = parseSettings('accept-proxy-protocol: [127.0.0.1, "fd00::/8", me, 10.0.0.0/33, {}]\n')
    expect(settings.acceptProxyProtocol).toEqual([
      { version: 4, bits: 0x7f000001n, prefix: 32 },
      { version: 6, bits: 0xfdn << 120n, prefix: 8 },
    ])
    const must = 'Cannot accept the PROXY protocol: accept-proxy-protocol must hold IP addresses and CIDRs such as 10.0.0.0/8'
    expect(errors.map(({ line, column, message }) => `${line}:${column} ${message}`)).toEqual([
      `1:48 ${must}, got me`,
      `1:52 ${must}, got 10.0.0.0/33`,
      `1:65 ${must}, got a list or mapping`,
    ])
    expect(parseSettings('accept-proxy-protocol:\n').settings.acceptProxyProtocol).toBeUndefined()
  })

  it('may be empty, and so may its fields', () => {
    const nothing = { settings: { mappings: [], ports: new Map() }, errors: [] }
    expect(parseSettings('')).toEqual(nothing)
    expect(parseSettings('# nothing yet\nservices:\nports:\n')).toEqual(nothing)
  })

  it('keeps what is good and says where the rest is wrong', () => {
    const text = 'services:\n  app/shop:80: localhost:3000\n  shop: 3000\nports:\n  80: http\necho: "no"\nservice: {}\n'
    const { settings, errors } = parseSettings(text)
    expect(settings.mappings).toHaveLength(1)
    expect(errors.map(({ line, column, message }) => `${line}:${column} ${message}`)).toEqual([
      '3:3 Cannot map a Service: the Service must be namespace/name:port, got shop',
      '5:3 Cannot read a port: it must be a number from 1 to 65535, got http',
      '6:1 Cannot read settings: echo must be true or false, got no',
      '7:1 Cannot read settings: a field must be services, ports, echo, certificates, debug-header, bounds or accept-proxy-protocol, got service',
    ])
  })

  it.each([
    ['- a', 'the file must be a mapping'],
    ['services: [a]', 'services must be a mapping'],
    ['accept-proxy-protocol: 127.0.0.1', 'accept-proxy-protocol must be a list'],
    ['accept-proxy-protocol:\n-\n', 'got null'],
    ['services: {a/b:80: {}}', 'the target must be host:port, got a list or mapping'],
    ['? [a]\n: 1', 'got a list or mapping'],
  ])('%s is refused', (text, message) => {
    expect(parseSettings(text).errors[0]?.message).toContain(message)
  })

  it('says once what is no YAML', () => {
    expect(parseSettings('services: {').errors[0]).toMatchObject({ line: 1 })
    expect(parseSettings('services: {').settings.mappings).toEqual([])
  })
})

describe('the state folder', () => {
  it('is $XDG_STATE_HOME where that is an absolute path, else under the home folder', () => {
    expect(stateFolder({ XDG_STATE_HOME: '/var/state' }, '/home/me')).toBe('/var/state/gatewright')
    expect(stateFolder({ XDG_STATE_HOME: 'state' }, '/home/me')).toBe('/home/me/.local/state/gatewright')
    expect(stateFolder({}, '/home/me')).toBe('/home/me/.local/state/gatewright')
  })
})

describe('how to trust the development CA', () => {
  it('is said for curl, for Node and for the system at hand', () => {
    const commands = (path: string, platform: string) => trustHints(path, platform).map(({ command }) => command)
    expect(commands('/s/ca.pem', 'linux')).toEqual([
      'curl --cacert /s/ca.pem',
      'export NODE_EXTRA_CA_CERTS=/s/ca.pem',
      'sudo cp /s/ca.pem /usr/local/share/ca-certificates/gatewright.crt && sudo update-ca-certificates',
    ])
    expect(commands("/My Mac's/ca.pem", 'darwin')[2]).toMatch(/ '\/My Mac'\\''s\/ca\.pem'$/)
    expect(commands('C:/ca.pem', 'win32')[2]).toBe('certutil -user -addstore Root C:/ca.pem')
  })
})
