/** Rows of text as aligned columns, two spaces apart. Escape sequences of colours do not count as width. */
export function columns(rows: readonly (readonly string[])[], indent = ''): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, width(cell))
  }
  return rows.map((row) => (indent + row.map((cell, i) => cell + ' '.repeat((widths[i] ?? 0) - width(cell))).join('  ')).trimEnd())
}

function width(cell: string): number {
  // eslint-disable-next-line no-control-regex -- the escape character is what begins a colour
  return cell.replaceAll(/\u001b\[\d+m/g, '').length
}
