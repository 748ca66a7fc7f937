// A backend that says 503 to two of three requests.
import { createServer } from 'node:http'

let requests = 0

const server = createServer((request, response) => {
  requests += 1
  const good = requests % 3 === 0
  console.log(`${request.method} ${request.url} ${good ? 200 : 503}`)
  response.statusCode = good ? 200 : 503
  response.setHeader('X-Request-Number', requests)
  response.end(good ? 'at last\n' : 'not now\n')
})
server.listen(Number(process.argv[2] ?? 9000), '127.0.0.1', () => console.log(`listens on ${server.address().port}`))
