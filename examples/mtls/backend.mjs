// The payments: speaks TLS, and only to who shows a certificate of the authority. `node backend.mjs PORT`, 0 for a free one.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'

const read = (name) => readFileSync(new URL(name, import.meta.url))
const options = { cert: read('backend.pem'), key: read('backend.key'), ca: read('ca.pem'), requestCert: true, rejectUnauthorized: true }
const server = createServer(options, (request, response) => {
  response.end(`${JSON.stringify({ service: 'payments', askedBy: request.socket.getPeerCertificate().subject.CN })}\n`)
})
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => console.log(`listens on ${server.address().port}`))
