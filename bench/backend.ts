/** The backend of all proxies, in clear text and over TLS: a small answer, and one of 64 KiB. nginx where it is installed (it costs the least of the second core), else a few lines of Node. */
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { join } from 'node:path'
import { backendPort, largeBytes, secureBackendPort, smallBody } from './workload.ts'

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
    listen 127.0.0.1:${secureBackendPort} ssl backlog=1024;
    ssl_certificate ${folder}/cert.pem;
    ssl_certificate_key ${folder}/key.pem;
    ssl_protocols TLSv1.3;
    location / { default_type text/plain; return 200 "${smallBody.trim()}\\n"; }
    location ~ /large$ { alias ${folder}/large.bin; }
    location ~ /seen$ { default_type text/plain; return 200 "$http_host $http_x_forwarded_for $http_x_forwarded_proto $http_x_request_id\\n"; }
  }
}
`
}

/** Run as a process of its own: `node build/bench/backend.js FOLDER`, with cert.pem and key.pem in the folder. */
export function serveNodeBackend(folder: string): void {
  const small = Buffer.from(smallBody)
  const large = Buffer.alloc(largeBytes, 'x')
  const answer: RequestListener = ({ url, headers }, response) => {
    const told = ['host', 'x-forwarded-for', 'x-forwarded-proto', 'x-request-id'].map((name) => headers[name])
    const body = url?.endsWith('/large') === true ? large : url?.endsWith('/seen') === true ? Buffer.from(told.join(' ')) : small
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length })
    response.end(body)
  }
  const [cert, key] = ['cert.pem', 'key.pem'].map((name) => readFileSync(join(folder, name)))
  const secure = createSecureServer({ cert, key, minVersion: 'TLSv1.3' }, answer)
  const plain = createServer(answer)
  // As nginx there: nobody meets a kept connection that closes.
  secure.keepAliveTimeout = plain.keepAliveTimeout = 0
  secure.listen(secureBackendPort, '127.0.0.1')
  plain.listen(backendPort, '127.0.0.1')
}

if (process.argv[1]?.endsWith('/backend.js') === true) serveNodeBackend(process.argv[2] ?? '.')
