/**
 * What a proxy says, read as what a stranger says: whoever has a Gateway's credentials can speak for its proxies, and its messages
 * become statuses. Fields that are not known are dropped, and so is nothing else: a message that is not as it must be ends the connection.
 */
import type { FailedPort, OpenPort } from '../lib/served-ports.ts'
import type { GatewayResult } from './in-process.ts'
import type { FromProxy } from './messages.ts'

/** A pod's name has 253 characters, a version 43, a sentence for people some hundred. */
const longestText = 2_048
/** Ports and listeners of one Gateway, those of its ListenerSets included. */
const mostItems = 16_384

type Fields = Readonly<Record<string, unknown>>

/** A message of a known kind; undefined for one of a later release, which is left alone. Throws in words for the log. */
export function readProxyMessage(message: unknown): FromProxy | undefined {
  const fields = fieldsOf(message, 'a message')
  switch (fields['kind']) {
    case 'beat':
      return { kind: 'beat' }
    case 'hello':
      return { kind: 'hello', protocol: whole(fields, 'protocol'), pod: text(fields, 'pod') }
    case 'serves':
      return {
        kind: 'serves',
        version: text(fields, 'version'),
        ...(fields['result'] !== undefined && { result: resultIn(fieldsOf(fields['result'], 'result')) }),
        ...answersIn(fields),
      }
    case 'follows-other':
      return { kind: 'follows-other', answers: whole(fields, 'answers') }
    case 'again':
      return { kind: 'again', ...answersIn(fields) }
    default:
      return undefined
  }
}

function answersIn(fields: Fields): { readonly answers?: number } {
  return fields['answers'] === undefined ? {} : { answers: whole(fields, 'answers') }
}

function resultIn(fields: Fields): GatewayResult {
  return {
    ports: items(fields, 'ports').map((port): OpenPort => ({
      port: whole(port, 'port'),
      transport: transportIn(port),
      address: text(port, 'address'),
      listenPort: whole(port, 'listenPort'),
    })),
    failedPorts: items(fields, 'failedPorts').map((port): FailedPort => ({
      port: whole(port, 'port'),
      transport: transportIn(port),
      message: words(port),
    })),
    failedListeners: items(fields, 'failedListeners').map((failed) => ({
      listener: text(failed, 'listener'),
      message: words(failed),
    })),
  }
}

function items(fields: Fields, name: string): readonly Fields[] {
  const value = fields[name]
  if (!Array.isArray(value) || value.length > mostItems) throw wrong(name, `a list of at most ${mostItems} objects`)
  return value.map((item) => fieldsOf(item, name))
}

function transportIn(fields: Fields): 'TCP' | 'UDP' {
  const { transport } = fields
  if (transport !== 'TCP' && transport !== 'UDP') throw wrong('transport', 'TCP or UDP')
  return transport
}

function text(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string' || value.length > longestText) throw wrong(name, `text of at most ${longestText} characters`)
  return value
}

/** For people: cut where it is too long. */
function words({ message }: Fields): string {
  if (typeof message !== 'string') throw wrong('message', 'text')
  return message.slice(0, longestText)
}

function whole(fields: Fields, name: string): number {
  const value = fields[name]
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw wrong(name, 'a whole number')
  return value
}

function fieldsOf(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(name, 'an object')
  return value as Fields
}

function wrong(name: string, must: string): Error {
  return new Error(`Cannot read what the proxy says: ${name} must be ${must}`)
}
