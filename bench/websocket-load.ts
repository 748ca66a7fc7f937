/**
 * WebSockets that each send a message, await its echo and send the next, for some seconds. Run as a process of its own:
 * `node build/bench/websocket-load.js PORT CONNECTIONS SECONDS` prints `{"messages": echoes, "errors": n}`.
 */
import { connect } from 'node:net'
import { host, webSocketPath } from './workload.ts'
import { echoFrame, messageFrame } from './websocket-frames.ts'

const [port = 0, connections = 0, seconds = 0] = process.argv.slice(2).map(Number)
const handshake = `GET ${webSocketPath} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`
const accepted = /^HTTP\/1\.1 101 [^]*\r\n\r\n$/

let messages = 0
let errors = 0
let over = false
/** One for all: its bytes are done with when the callback returns. */
const buffer = Buffer.allocUnsafeSlow(64 * 1024)

function open(): void {
  let head = ''
  let switched = false
  let came = 0
  const callback = (length: number): boolean => {
    if (!switched) {
      head += buffer.toString('latin1', 0, length)
      if (!head.endsWith('\r\n\r\n')) return true
      if (!accepted.test(head)) return fail()
      switched = true
      socket.write(messageFrame)
      return true
    }
    // Echoes are as long as they must be, and those that come in one piece are what they must be.
    if (came === 0 && length === echoFrame.length && echoFrame.compare(buffer, 0, length) !== 0) return fail()
    came += length
    if (came < echoFrame.length) return true
    if (came > echoFrame.length) return fail()
    came = 0
    messages += 1
    if (!over) socket.write(messageFrame)
    return true
  }
  const fail = (): boolean => {
    errors += 1
    socket.destroy()
    return false
  }
  const socket = connect({ host: '127.0.0.1', port, noDelay: true, onread: { buffer, callback } })
  socket.on('connect', () => socket.write(handshake, 'latin1'))
  socket.on('error', fail)
  socket.on('close', () => {
    if (!over) errors += 1
  })
}

for (let i = 0; i < connections; i += 1) open()
setTimeout(() => {
  over = true
  process.stdout.write(`${JSON.stringify({ messages, errors })}\n`, () => process.exit(0))
}, seconds * 1000)
