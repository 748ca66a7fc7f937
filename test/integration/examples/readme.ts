/** The `curl` commands of a README: lines that begin with `$ ` in its console blocks, each with the answer printed below it. */

export interface Command {
  /** As printed. */
  readonly text: string
  /** `METHOD URL` without the port, in the terms of expect.yaml. */
  readonly request: string
  readonly headers: Readonly<Record<string, string>>
  readonly answer: string
}

/** Of a WebSocket's opening handshake: what makes it one, and not what is asked. */
const handshake = new Set(['connection', 'upgrade', 'sec-websocket-version', 'sec-websocket-key'])
const withValue = new Set(['--cacert', '--resolve', '--max-time', '-o', '-b', '-c'])

export function curlCommands(readme: string): Command[] {
  const blocks = [...readme.matchAll(/^```console\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block)
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .flatMap((entry) => {
        const joined = entry.replaceAll('\\\n', ' ')
        const [text = '', ...answer] = joined.split('\n')
        const curl = /\bcurl\b[^;|\n]*/.exec(text)?.[0]
        return curl === undefined ? [] : [commandOf(text, curl, answer.join('\n'))]
      }),
  )
}

function commandOf(text: string, curl: string, answer: string): Command {
  let method = 'GET'
  let url = ''
  let upgrade = false
  const headers: Record<string, string> = {}
  const words = [...curl.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '').slice(1)
  while (words.length > 0) {
    const word = words.shift() ?? ''
    if (withValue.has(word)) words.shift()
    else if (word === '-X') method = words.shift() ?? ''
    else if (word === '-H') {
      const [, name = '', value = ''] = /^([^:]*):\s*(.*)$/.exec(words.shift() ?? '') ?? []
      upgrade ||= name.toLowerCase() === 'upgrade'
      if (!handshake.has(name.toLowerCase())) headers[name] = value
    } else if (!word.startsWith('-')) url = word
  }
  const asked = url.replace(/^(\w+:\/\/[^/:]+):\d+/, '$1').replace(/^http/, upgrade ? 'ws' : 'http')
  return { text, request: `${method} ${asked}`, headers, answer }
}
