/** One exchange with an address, over each protocol that a Service carries. They run in the cluster's network. */
import { createSocket } from 'node:dgram'
import { get } from 'node:http'
import { connect } from 'node:net'

export interface HttpAnswer {
  readonly status: number
  readonly body: string
}

const patience = 2_000

export function http(address: string, port: number, path = '/'): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const request = get({ host: address, port, path, agent: false, timeout: patience }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => (body += text))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    request.on('timeout', () => request.destroy(new Error(`no answer from ${address}:${port}`))).on('error', reject)
  })
}

/** Sends text on a TCP connection; resolves with what came until `until` did. */
export function tcp(address: string, port: number, text: string, until: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = connect({ host: address, port, timeout: patience }, () => socket.write(text))
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      received += chunk
      if (!until.test(received)) return
      resolve(received)
      socket.destroy()
    })
    socket.on('timeout', () => socket.destroy(new Error(`no answer from ${address}:${port}, got ${received}`))).on('error', reject)
  })
}

export interface Datagram {
  readonly text: string
  readonly from: string
}

export function udp(address: string, port: number, text: string): Promise<Datagram> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    const timer = setTimeout(() => socket.close(() => reject(new Error(`no answer from ${address}:${port}`))), patience)
    socket.on('message', (message, from) => {
      clearTimeout(timer)
      socket.close(() => resolve({ text: message.toString(), from: `${from.address}:${from.port}` }))
    })
    socket.send(text, port, address)
  })
}
