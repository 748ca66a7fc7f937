/**
 * The load on streams, for some seconds: `node build/bench/streams/load.js KIND PORT SECONDS` prints `{"count": n, "errors": n}`.
 * Kinds: `echo` (messages of 64 KiB there and back on 16 connections), `once` (connections, 32 at a time, a byte each), `hello` (the same with
 * a ClientHello in place of the byte), `udp` (datagrams of 100 bytes there and back, 64 clients with one under way). With `hold` and
 * `hold-udp` the last argument is a number instead: so many connections or sessions are opened with an exchange each, `{"count": n}` is
 * printed when all of them are, and they are held until the process is ended.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { helloOf } from '../../test/harness/client-hello.ts'
import { datagramSize, messageSize, serverName } from './workload.ts'

const [kind = '', portText = '', secondsText = ''] = process.argv.slice(2)
const port = Number(portText)

let count = 0
let errors = 0
let over = false

function echo(): void {
  const message = Buffer.alloc(messageSize, 1)
  for (let i = 0; i < 16; i += 1) {
    let came = 0
    const buffer = Buffer.allocUnsafeSlow(messageSize)
    const callback = (length: number): boolean => {
      came += length
      if (came < messageSize) return true
      came -= messageSize
      count += 1
      if (!over) socket.write(message)
      return true
    }
    const socket = connect({ host: '127.0.0.1', port, noDelay: true, onread: { buffer, callback } })
    socket.on('connect', () => socket.write(message))
    socket.on('error', () => (errors += 1))
  }
}

/** One connection after another, each for one exchange. */
function connections(said: Buffer): void {
  const open = (): void => {
    let came = 0
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    socket.on('connect', () => socket.write(said))
    socket.on('data', (bytes: Buffer) => (came += bytes.length))
    socket.on('error', () => (errors += 1))
    socket.on('close', () => {
      if (came === said.length) count += 1
      else if (!over) errors += 1
      if (!over) open()
    })
  }
  for (let i = 0; i < 32; i += 1) open()
}

function datagrams(): void {
  const datagram = Buffer.alloc(datagramSize, 1)
  for (let i = 0; i < 64; i += 1) {
    const socket = createSocket('udp4')
    let waiting: NodeJS.Timeout | undefined
    const send = (): void => {
      clearTimeout(waiting)
      if (over) return
      // One that was lost is sent again: with none under way nothing would be measured.
      waiting = setTimeout(send, 500).unref()
      socket.send(datagram)
    }
    socket.on('message', () => {
      count += 1
      send()
    })
    socket.on('error', () => (errors += 1))
    socket.connect(port, '127.0.0.1', send)
  }
}

/** Opens one after another, some at a time. */
async function hold(number: number, open: () => Promise<void>): Promise<void> {
  let left = number
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      await open()
      count += 1
    }
  }
  await Promise.all(Array.from({ length: 64 }, work))
  process.stdout.write(`${JSON.stringify({ count, errors })}\n`)
}

async function heldConnection(): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  socket.on('error', () => (errors += 1))
  socket.write('x')
  await once(socket, 'data')
}

async function heldSession(): Promise<void> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve))
  const answered = once(socket, 'message')
  const again = setInterval(() => socket.send('x'), 500)
  socket.send('x')
  await answered
  clearInterval(again)
}

function finish(): void {
  over = true
  process.stdout.write(`${JSON.stringify({ count, errors })}\n`, () => process.exit(0))
}

switch (kind) {
  case 'echo':
    echo()
    break
  case 'once':
    connections(Buffer.from('x'))
    break
  case 'hello':
    connections(await helloOf({ servername: serverName }))
    break
  case 'udp':
    datagrams()
    break
  case 'hold':
    await hold(Number(secondsText), heldConnection)
    break
  case 'hold-udp':
    await hold(Number(secondsText), heldSession)
}
if (!kind.startsWith('hold')) setTimeout(finish, Number(secondsText) * 1000)
