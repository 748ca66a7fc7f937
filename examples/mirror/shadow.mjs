// What the next version would be: prints the requests that it gets. Its answers reach nobody, so it is slow and wrong.
import { createServer } from 'node:http'

const server = createServer((request, response) => {
  let size = 0
  request.on('data', (bytes) => {
    size += bytes.length
  })
  request.on('end', () => {
    console.log(`${request.method} ${request.url} host=${request.headers.host} x-version=${request.headers['x-version']} body=${size}`)
    setTimeout(() => response.writeHead(500).end('not ready yet'), 1000)
  })
})
server.listen(Number(process.argv[2] ?? 9000), '127.0.0.1', () => console.log(`listens on ${server.address().port}`))
