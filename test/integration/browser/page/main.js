// What a page does with a gateway. The test calls these by name and gets what they resolve to.
import { digest } from './text.js'

const tasks = {
  /** How each part of the page came. */
  protocols() {
    const entries = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    return Object.fromEntries(entries.map(({ name, nextHopProtocol }) => [new URL(name).pathname, nextHopProtocol]))
  },

  /** What a person would see of the page's parts. */
  looks() {
    const { naturalWidth } = document.querySelector('img')
    return { title: document.title, colour: getComputedStyle(document.querySelector('h1')).color, width: naturalWidth }
  },

  /** Sends text and bytes, and closes when both have come back. */
  webSocket() {
    return new Promise((resolve) => {
      const socket = new WebSocket(`wss://${location.host}/chat`)
      const bytes = crypto.getRandomValues(new Uint8Array(60_000))
      const seen = { url: socket.url, messages: [], closed: undefined }
      socket.binaryType = 'arraybuffer'
      socket.addEventListener('open', () => {
        socket.send('täxt')
        socket.send(bytes)
      })
      socket.addEventListener('message', ({ data }) => {
        seen.messages.push(typeof data === 'string' ? data : new Uint8Array(data).every((byte, i) => byte === bytes[i]) && data.byteLength)
        // The first message is a greeting.
        if (seen.messages.length === 3) socket.close(1000, 'done')
      })
      socket.addEventListener('error', () => seen.messages.push('error'))
      socket.addEventListener('close', ({ code, reason, wasClean }) => resolve({ ...seen, closed: { code, reason, wasClean } }))
    })
  },

  /** A body of that many bytes, in several data frames and windows; true when the backend saw the same bytes. */
  async post(length) {
    const body = new Uint8Array(length).map((_byte, i) => i % 251)
    const answer = await fetch('/orders', { method: 'POST', body })
    const seen = await answer.json()
    return { status: answer.status, length: seen.length, same: seen.digest === (await digest(body)) }
  },

  /** Each event is sent only when the page has told of the one before, so that none can wait for the end of the answer. */
  events(count) {
    return new Promise((resolve, reject) => {
      const source = new EventSource('/events')
      const seen = []
      source.addEventListener('error', () => reject(new Error(`the stream broke off after ${seen.length} events`)))
      source.addEventListener('message', ({ data }) => {
        seen.push(data)
        if (seen.length < count) {
          void fetch('/events/next', { method: 'POST' })
          return
        }
        source.close()
        resolve(seen)
      })
    })
  },

  /** A request to another origin that needs a preflight. */
  async acrossOrigins() {
    try {
      const answer = await fetch('https://api.example.com/cart', {
        method: 'PUT',
        headers: { 'X-Cart': '7' },
        credentials: 'include',
        body: 'x',
      })
      const { headers, status } = answer
      return { status, total: headers.get('x-total'), hidden: headers.get('x-hidden'), method: (await answer.json()).method }
    } catch (error) {
      return { failed: error.name }
    }
  },
}

globalThis.tasks = tasks
document.title = 'Shop'
