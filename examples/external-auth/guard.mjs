// An authorisation server: 200 allows and says who it is, anything else goes to the client as it is.
import { createServer } from 'node:http'

const users = { 'Bearer a1': 'anna', 'Bearer b2': 'ben' }

const server = createServer((request, response) => {
  const user = users[request.headers.authorization]
  console.log(`${request.method} ${request.url} ${user ?? 'nobody'}`)
  if (user === undefined) {
    response.statusCode = 401
    response.setHeader('WWW-Authenticate', 'Bearer')
    response.end('who are you?\n')
  } else if (user !== 'anna' && request.url.startsWith('/check/admin')) {
    response.statusCode = 403
    response.end(`not for you, ${user}\n`)
  } else {
    response.setHeader('X-User', user)
    response.end()
  }
})
server.listen(Number(process.argv[2] ?? 9000), '127.0.0.1', () => console.log(`listens on ${server.address().port}`))
