/** The backend of all proxies: a small answer, and one of 64 KiB. nginx where it is installed (it costs the least of the second core), else a few lines of Node. */
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { backendPort, largeBytes, smallBody } from './workload.ts'

export function nginxBackendConfig(folder: string): string {
  writeFileSync(join(folder, 'large.bin'), Buffer.alloc(largeBytes, 'x'))
  return `daemon off;
worker_processes 1;
pid ${folder}/backend.pid;
error_log ${folder}/backend.log warn;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  server {
    listen 127.0.0.1:${backendPort} backlog=1024;
    location / { default_type text/plain; return 200 "${smallBody.trim()}\\n"; }
    location ~ /large$ { alias ${folder}/large.bin; }
    location ~ /seen$ { default_type text/plain; return 200 "$http_host $http_x_forwarded_for $http_x_forwarded_proto $http_x_request_id\\n"; }
  }
}
`
}

/** Run as a process of its own: `node build/bench/backend.js`. */
export function serveNodeBackend(): void {
  const small = Buffer.from(smallBody)
  const large = Buffer.alloc(largeBytes, 'x')
  const server = createServer(({ url, headers }, response) => {
    const told = ['host', 'x-forwarded-for', 'x-forwarded-proto', 'x-request-id'].map((name) => headers[name])
    const body = url?.endsWith('/large') === true ? large : url?.endsWith('/seen') === true ? Buffer.from(told.join(' ')) : small
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length })
    response.end(body)
  })
  // As nginx there: nobody meets a kept connection that closes.
  server.keepAliveTimeout = 0
  server.listen(backendPort, '127.0.0.1')
}

if (process.argv[1]?.endsWith('backend.js') === true) serveNodeBackend()
