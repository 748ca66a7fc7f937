/** A stream of bytes as its lines, in the batches in which they come. A last line without an end is none: it was not finished. */
const LINE_FEED = 10

export async function* linesOf(bytes: AsyncIterable<Buffer>): AsyncGenerator<readonly string[]> {
  /** Of the line that has begun. */
  let begun: Buffer[] = []
  for await (const chunk of bytes) {
    const lines: string[] = []
    let from = 0
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      const rest = chunk.subarray(from, end)
      const line = (begun.length === 0 ? rest : Buffer.concat([...begun, rest])).toString('utf8')
      if (line.trim() !== '') lines.push(line)
      begun = []
      from = end + 1
    }
    if (from < chunk.length) begun.push(chunk.subarray(from))
    if (lines.length > 0) yield lines
  }
}
