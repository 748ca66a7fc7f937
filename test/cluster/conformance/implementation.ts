/** Who is tested, for the report's head. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkout } from '../checkout.ts'

const manifest = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { readonly version: string }

export const implementation = {
  organization: 'gatewright',
  project: 'gatewright',
  url: 'https://gatewright.dev',
  version: `v${manifest.version}`,
  contact: 'https://gatewright.dev/contact',
} as const

export const GATEWAY_CLASS = 'gatewright'
export const CONTROLLER_NAME = 'gatewright.dev/gateway-controller'
export const PROFILES = ['GATEWAY-HTTP', 'GATEWAY-GRPC', 'GATEWAY-TLS', 'GATEWAY-TCP', 'GATEWAY-UDP'] as const
