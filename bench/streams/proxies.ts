/** The proxies with the same ports to the same backend: ours, nginx with its module `stream`, HAProxy in tcp mode; each with one worker on the first core. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { programPath } from '../contestants.ts'
import { listening, loadCore, PinnedPrograms, proxyCore } from '../pinned-programs.ts'
import { childrenOf } from '../process-cpu.ts'
import { backendPorts, serverName, type StreamPorts } from './workload.ts'

export interface StreamProxy {
  readonly name: string
  readonly ports: StreamPorts
  readonly pids: readonly number[]
}

const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so'

export class StreamProxies {
  readonly proxies: StreamProxy[] = []
  readonly missing: string[] = []
  readonly #folder: string
  readonly #programs: PinnedPrograms

  constructor(folder: string) {
    this.#folder = folder
    this.#programs = new PinnedPrograms(folder)
  }

  async startBackend(): Promise<void> {
    this.#programs.start('backend', loadCore, process.execPath, [join(import.meta.dirname, 'backend.js')])
    await listening(backendPorts.echo)
    await listening(backendPorts.once)
  }

  /** @param bounds further flags */
  async startGatewright(root: string, flags: readonly string[] = []): Promise<StreamProxy> {
    const ports = portsFrom(19_321)
    const folder = join(this.#folder, 'manifests')
    mkdirSync(folder)
    writeFileSync(join(folder, 'streams.yaml'), manifests(ports))
    const services = Object.entries({ echo: backendPorts.echo, once: backendPorts.once, udp: backendPorts.udp })
    const mapped = services.flatMap(([name, port]) => ['--service', `bench/${name}:80=127.0.0.1:${port}`])
    const options = ['--access-log', 'off', '--admin-port', '19320', ...mapped, ...flags]
    const child = this.#programs.start('gatewright', proxyCore, process.execPath, [
      join(root, 'dist/cli/main.js'),
      'run',
      folder,
      ...options,
    ])
    await listening(ports.hello)
    return this.#add({ name: 'gatewright', ports, pids: [child.pid ?? 0] })
  }

  async startNginx(): Promise<void> {
    const program = programPath('nginx')
    if (program === undefined || !existsSync(streamModule))
      return void this.missing.push('nginx (Debian packages nginx-light and libnginx-mod-stream)')
    const ports = portsFrom(19_331)
    const config = join(this.#folder, 'nginx.conf')
    writeFileSync(config, nginxConfig(this.#folder, ports))
    const child = this.#programs.start('nginx', proxyCore, program, ['-c', config, '-p', this.#folder])
    await listening(ports.hello)
    this.#add({ name: 'nginx', ports, pids: childrenOf(child.pid ?? 0) })
  }

  async startHaproxy(): Promise<void> {
    const program = programPath('haproxy')
    if (program === undefined) return void this.missing.push('haproxy (Debian package haproxy)')
    const ports = portsFrom(19_341)
    const config = join(this.#folder, 'haproxy.cfg')
    writeFileSync(config, haproxyConfig(ports))
    const child = this.#programs.start('haproxy', proxyCore, program, ['-f', config, '-db'])
    await listening(ports.hello)
    this.#add({ name: 'haproxy', ports, pids: [child.pid ?? 0] })
  }

  stop(): Promise<void> {
    return this.#programs.stop()
  }

  #add(proxy: StreamProxy): StreamProxy {
    this.proxies.push(proxy)
    return proxy
  }
}

export function versionOf(name: string): string {
  const program = programPath(name)
  if (program === undefined) return ''
  const { stdout, stderr } = spawnSync(program, ['-v'], { encoding: 'utf8' })
  return (stdout + stderr).trim().split('\n')[0] ?? ''
}

function portsFrom(first: number): StreamPorts {
  return { echo: first, once: first + 1, hello: first + 2, udp: first + 3 }
}

function manifests({ echo, once: single, hello, udp }: StreamPorts): string {
  const listener = (name: string, port: number, protocol: string, more = ''): string =>
    `  - { name: ${name}, port: ${port}, protocol: ${protocol}${more} }\n`
  const route = (kind: string, name: string, service: string, more = ''): string => `---
apiVersion: gateway.networking.k8s.io/v1
kind: ${kind}
metadata: { name: ${name}, namespace: bench }
spec:
  parentRefs: [{ name: streams, sectionName: ${name} }]
${more}  rules: [{ backendRefs: [{ name: ${service}, port: 80 }] }]
`
  return `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: streams, namespace: bench }
spec:
  gatewayClassName: gatewright
  listeners:
${listener('echo', echo, 'TCP')}${listener('once', single, 'TCP')}${listener('hello', hello, 'TLS', ', tls: { mode: Passthrough }')}${listener('udp', udp, 'UDP')}${route('TCPRoute', 'echo', 'echo')}${route('TCPRoute', 'once', 'once')}${route('TLSRoute', 'hello', 'once', `  hostnames: [${serverName}]\n`)}${route('UDPRoute', 'udp', 'udp')}`
}

function nginxConfig(folder: string, { echo, once: single, hello, udp }: StreamPorts): string {
  return `load_module ${streamModule};
worker_processes 1;
pid ${folder}/nginx.pid;
error_log /dev/null;
daemon off;
worker_rlimit_nofile 65536;
events { worker_connections 32768; }
stream {
  server { listen 127.0.0.1:${echo} backlog=4096; proxy_pass 127.0.0.1:${backendPorts.echo}; }
  server { listen 127.0.0.1:${single} backlog=4096; proxy_pass 127.0.0.1:${backendPorts.once}; }
  map $ssl_preread_server_name $named { ${serverName} 127.0.0.1:${backendPorts.once}; }
  server { listen 127.0.0.1:${hello} backlog=4096; ssl_preread on; proxy_pass $named; }
  server { listen 127.0.0.1:${udp} udp; proxy_pass 127.0.0.1:${backendPorts.udp}; }
}
`
}

function haproxyConfig({ echo, once: single, hello }: StreamPorts): string {
  return `global
  nbthread 1
  maxconn 4000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen echo
  bind 127.0.0.1:${echo}
  server one 127.0.0.1:${backendPorts.echo}
listen once
  bind 127.0.0.1:${single}
  server one 127.0.0.1:${backendPorts.once}
frontend hello
  bind 127.0.0.1:${hello}
  tcp-request inspect-delay 5s
  tcp-request content accept if { req.ssl_hello_type 1 }
  use_backend named_backend if { req.ssl_sni -i ${serverName} }
backend named_backend
  server one 127.0.0.1:${backendPorts.once}
`
}
