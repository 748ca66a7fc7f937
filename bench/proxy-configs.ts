/**
 * Configurations of the other proxies for the same workload: one worker, access log off, keep-alive on both sides,
 * forwarded headers and a request id set. Where a default would cost them CPU time for nothing, they get a better value.
 */
import { backendPort, headerName, headerValue, host, routes } from './workload.ts'

export interface Ports {
  readonly http: number
  readonly https: number
}

export function nginxConfig(folder: string, ports: Ports): string {
  const locations = routes.map(
    (route) =>
      `    location ${route}/ { if ($http_${headerName.replaceAll('-', '_')} != ${headerValue}) { return 404; } proxy_pass http://backend; }`,
  )
  return `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx.log warn;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  upstream backend { server 127.0.0.1:${backendPort}; keepalive 256; keepalive_requests 1000000000; }
  # By default an answer of 64 KiB goes through a temporary file now and then, at almost twice the cost.
  proxy_buffers 32 16k;
  proxy_buffer_size 16k;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-Host $http_host;
  proxy_set_header X-Request-Id $request_id;
  ssl_certificate ${folder}/cert.pem;
  ssl_certificate_key ${folder}/key.pem;
  server {
    listen 127.0.0.1:${ports.http};
    listen 127.0.0.1:${ports.https} ssl;
    server_name ${host};
${locations.join('\n')}
    location / { return 404; }
  }
}
`
}

/** JSON, which Envoy reads as well as YAML. */
export function envoyConfig(folder: string, ports: Ports): string {
  const type = (name: string): string => `type.googleapis.com/${name}`
  const manager = {
    '@type': type('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'bench',
    use_remote_address: true,
    normalize_path: true,
    http_filters: [
      { name: 'envoy.filters.http.router', typed_config: { '@type': type('envoy.extensions.filters.http.router.v3.Router') } },
    ],
    route_config: {
      virtual_hosts: [
        {
          name: 'bench',
          domains: [host],
          routes: routes.map((route) => ({
            match: { path_separated_prefix: route, headers: [{ name: headerName, string_match: { exact: headerValue } }] },
            route: { cluster: 'backend' },
            // Counters and durations for each route, and the client's Host, as the others give them.
            stat_prefix: `route${route.slice(1)}`,
            request_headers_to_add: [{ header: { key: 'x-forwarded-host', value: '%REQ(:AUTHORITY)%' } }],
          })),
        },
      ],
    },
  }
  const filters = [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }]
  const tls = {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': type('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext'),
      common_tls_context: {
        tls_certificates: [{ certificate_chain: { filename: `${folder}/cert.pem` }, private_key: { filename: `${folder}/key.pem` } }],
      },
    },
  }
  const address = (port: number): object => ({ socket_address: { address: '127.0.0.1', port_value: port } })
  return JSON.stringify({
    static_resources: {
      listeners: [
        { name: 'http', address: address(ports.http), filter_chains: [{ filters }] },
        { name: 'https', address: address(ports.https), filter_chains: [{ filters, transport_socket: tls }] },
      ],
      clusters: [
        {
          name: 'backend',
          type: 'STATIC',
          connect_timeout: '5s',
          load_assignment: { cluster_name: 'backend', endpoints: [{ lb_endpoints: [{ endpoint: { address: address(backendPort) } }] }] },
        },
      ],
    },
  })
}
