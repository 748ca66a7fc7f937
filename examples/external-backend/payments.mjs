// An API of somebody else's that says 503 to every path but /pay.
import { createServer } from 'node:http'

const server = createServer((request, response) => {
  const good = request.url === '/pay'
  console.log(`${request.method} ${request.url} for ${request.headers.host} ${good ? 200 : 503}`)
  response.statusCode = good ? 200 : 503
  response.setHeader('X-Called-As', request.headers.host ?? '')
  response.end(good ? 'paid\n' : 'not now\n')
})
server.listen(Number(process.argv[2] ?? 9000), '127.0.0.1', () => console.log(`listens on ${server.address().port}`))
