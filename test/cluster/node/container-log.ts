/** What a container wrote, with the time of each piece, in memory: the last megabytes of it. */
const LIMIT = 16 * 1024 * 1024

interface Line {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly text: string
}

export interface LogQuery {
  readonly since?: number
  readonly tailLines?: number
  readonly timestamps?: boolean
}

export class ContainerLog {
  #lines: Line[] = []
  #size = 0
  /** By stream, the beginning of a line that has no end yet. */
  readonly #begun = new Map<string, string>()
  readonly #followers = new Set<(line: Line | undefined) => void>()
  #ended = false

  write(stream: 'stdout' | 'stderr', text: string): void {
    const at = Date.now()
    const lines = ((this.#begun.get(stream) ?? '') + text).split('\n')
    this.#begun.set(stream, lines.pop() ?? '')
    for (const line of lines) this.#add({ at, text: line })
  }

  end(): void {
    for (const text of this.#begun.values()) if (text !== '') this.#add({ at: Date.now(), text })
    this.#ended = true
    for (const follower of this.#followers) follower(undefined)
    this.#followers.clear()
  }

  read({ since = 0, tailLines = Number.POSITIVE_INFINITY, timestamps = false }: LogQuery): string {
    const lines = this.#lines.filter(({ at }) => at >= since)
    const from = Math.max(0, lines.length - tailLines)
    return lines
      .slice(from)
      .map((line) => shown(line, timestamps))
      .join('')
  }

  /** Calls back for each new line and, once, with undefined at the end. Returns what stops it. */
  follow({ timestamps = false }: LogQuery, onLine: (text: string | undefined) => void): () => void {
    const follower = (line: Line | undefined): void => onLine(line === undefined ? undefined : shown(line, timestamps))
    if (this.#ended) onLine(undefined)
    else this.#followers.add(follower)
    return () => this.#followers.delete(follower)
  }

  #add(line: Line): void {
    this.#lines.push(line)
    this.#size += line.text.length
    if (this.#size > LIMIT) this.#dropHalf()
    for (const follower of this.#followers) follower(line)
  }

  #dropHalf(): void {
    this.#lines = this.#lines.slice(Math.ceil(this.#lines.length / 2))
    this.#size = this.#lines.reduce((sum, { text }) => sum + text.length, 0)
  }
}

function shown({ at, text }: Line, timestamps: boolean): string {
  return timestamps ? `${new Date(at).toISOString()} ${text}\n` : `${text}\n`
}
