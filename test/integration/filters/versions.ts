/** The versions of HTTP in which the cases of filters and policies are asked. */
import type { HttpClient } from '../../harness/client.ts'
import type { Gateway } from '../../harness/gateway.ts'
import type { Harness } from '../../harness/harness.ts'

export interface Version {
  readonly name: string
  readonly connect: (gate: Gateway) => Promise<HttpClient>
}

export function versions(h: Harness): readonly Version[] {
  return [
    { name: 'HTTP/1.1', connect: (gate) => h.client(gate) },
    { name: 'HTTP/2', connect: (gate) => h.http2(gate) },
  ]
}
