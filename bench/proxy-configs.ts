/**
 * Configurations of the other proxies for the same workload: one worker, access log off, keep-alive on both sides,
 * forwarded headers and a request id set. Where a default would cost them CPU time for nothing, they get a better value.
 */
import {
  backendPort,
  doubtedName,
  doubtedPath,
  grpcBackendPort,
  grpcHost,
  grpcServices,
  grpcToldPort,
  grpcToldService,
  headerName,
  headerValue,
  host,
  type Ports,
  routes,
  secureBackendPort,
  secureHost,
  webSocketBackendPort,
  webSocketPath,
} from './workload.ts'

export function nginxConfig(folder: string, ports: Ports): string {
  const others = `if ($http_${headerName.replaceAll('-', '_')} != ${headerValue}) { return 404; }`
  const locations = routes.map((route) => `    location ${route}/ { ${others} proxy_pass http://backend; }`)
  const secure = routes.map((route) => `    location ${route}/ { ${others} proxy_pass https://secure; }`)
  const services = grpcServices.map((service) => `    location /${service}/ { ${others} grpc_pass grpc://grpc; }`)
  return `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx.log warn;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  upstream backend { server 127.0.0.1:${backendPort}; keepalive 256; keepalive_requests 1000000000; }
  upstream secure { server 127.0.0.1:${secureBackendPort}; keepalive 256; keepalive_requests 1000000000; }
  # Of its own: nginx keeps connections by upstream, and would ask on one that was verified for the other name.
  upstream doubted { server 127.0.0.1:${secureBackendPort}; }
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
  upstream grpc { server 127.0.0.1:${grpcBackendPort}; keepalive 256; keepalive_requests 1000000000; }
  upstream told { server 127.0.0.1:${grpcToldPort}; }
  upstream websocket { server 127.0.0.1:${webSocketBackendPort}; }
  grpc_set_header Host $http_host;
  grpc_set_header X-Forwarded-For $remote_addr;
  grpc_set_header X-Forwarded-Proto $scheme;
  grpc_set_header X-Forwarded-Host $http_host;
  grpc_set_header X-Request-Id $request_id;
  proxy_ssl_protocols TLSv1.3;
  proxy_ssl_session_reuse on;
  proxy_ssl_server_name on;
  proxy_ssl_name ${host};
  proxy_ssl_verify on;
  proxy_ssl_trusted_certificate ${folder}/cert.pem;
  ssl_certificate ${folder}/cert.pem;
  ssl_certificate_key ${folder}/key.pem;
  server {
    listen 127.0.0.1:${ports.http};
    listen 127.0.0.1:${ports.https} ssl http2;
    server_name ${host};
${locations.join('\n')}
    location ${webSocketPath} {
      proxy_pass http://websocket;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
    }
    location / { return 404; }
  }
  server {
    listen 127.0.0.1:${ports.http};
    listen 127.0.0.1:${ports.https} ssl http2;
    server_name ${secureHost};
${secure.join('\n')}
    location ${doubtedPath}/ { proxy_pass https://doubted; proxy_ssl_name ${doubtedName}; }
    location / { return 404; }
  }
  server {
    listen 127.0.0.1:${ports.h2c} http2;
    server_name ${grpcHost};
    location /${grpcToldService}/ { grpc_pass grpc://told; }
${services.join('\n')}
    location / { return 404; }
  }
}
`
}

/** JSON, which Envoy reads as well as YAML. */
export function envoyConfig(folder: string, ports: Ports): string {
  const manager = {
    '@type': envoyType('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'bench',
    use_remote_address: true,
    normalize_path: true,
    http_filters: [
      { name: 'envoy.filters.http.router', typed_config: { '@type': envoyType('envoy.extensions.filters.http.router.v3.Router') } },
    ],
    upgrade_configs: [{ upgrade_type: 'websocket' }],
    route_config: {
      virtual_hosts: [
        {
          name: 'bench',
          domains: [host],
          routes: [
            ...routes.map((route) => envoyRoute(route, 'backend')),
            { match: { path_separated_prefix: webSocketPath }, route: { cluster: 'websocket' } },
          ],
        },
        {
          name: 'secure',
          domains: [secureHost],
          routes: [
            ...routes.map((route) => envoyRoute(route, 'secure')),
            { match: { path_separated_prefix: doubtedPath }, route: { cluster: 'doubted' } },
          ],
        },
        {
          name: 'grpc',
          domains: [grpcHost],
          routes: [...grpcServices.map((service) => envoyRoute(`/${service}`, 'grpc')), envoyRoute(`/${grpcToldService}`, 'told')],
        },
      ],
    },
  }
  const filters = [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }]
  const tls = {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': envoyType('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext'),
      common_tls_context: {
        alpn_protocols: ['h2', 'http/1.1'],
        tls_certificates: [{ certificate_chain: { filename: `${folder}/cert.pem` }, private_key: { filename: `${folder}/key.pem` } }],
      },
    },
  }
  const http2 = envoyType('envoy.extensions.upstreams.http.v3.HttpProtocolOptions')
  const inHttp2 = {
    typed_extension_protocol_options: {
      [http2.slice(http2.indexOf('/') + 1)]: { '@type': http2, explicit_http_config: { http2_protocol_options: {} } },
    },
  }
  return JSON.stringify({
    static_resources: {
      listeners: [
        { name: 'http', address: envoyAddress(ports.http), filter_chains: [{ filters }] },
        { name: 'https', address: envoyAddress(ports.https), filter_chains: [{ filters, transport_socket: tls }] },
      ],
      clusters: [
        envoyCluster('backend', backendPort),
        { ...envoyCluster('secure', secureBackendPort), transport_socket: envoyUpstreamTls(folder, host) },
        { ...envoyCluster('doubted', secureBackendPort), transport_socket: envoyUpstreamTls(folder, doubtedName) },
        { ...envoyCluster('grpc', grpcBackendPort), ...inHttp2 },
        { ...envoyCluster('told', grpcToldPort), ...inHttp2 },
        envoyCluster('websocket', webSocketBackendPort),
      ],
    },
  })
}

function envoyRoute(prefix: string, cluster: string): object {
  return {
    match: { path_separated_prefix: prefix, headers: [{ name: headerName, string_match: { exact: headerValue } }] },
    route: { cluster },
    // Counters and durations for each route, and the client's Host, as the others give them.
    stat_prefix: `route${prefix.slice(1)}`,
    request_headers_to_add: [{ header: { key: 'x-forwarded-host', value: '%REQ(:AUTHORITY)%' } }],
  }
}

function envoyCluster(name: string, port: number): object {
  const endpoint = { address: envoyAddress(port) }
  return {
    name,
    type: 'STATIC',
    connect_timeout: '5s',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint }] }] },
  }
}

/** @param name what the backend's certificate must be for */
function envoyUpstreamTls(folder: string, name: string): object {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': envoyType('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext'),
      sni: name,
      common_tls_context: {
        tls_params: { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
        validation_context: {
          trusted_ca: { filename: `${folder}/cert.pem` },
          match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: name } }],
        },
      },
    },
  }
}

function envoyAddress(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}

function envoyType(name: string): string {
  return `type.googleapis.com/${name}`
}
