/** Waits for what the other end of a socket will do soon: looks every few milliseconds, and fails by name after six seconds. */
export async function eventually<T>(look: () => T | undefined | false, what: string, within = 6_000): Promise<T> {
  const until = performance.now() + within
  for (;;) {
    const found = look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > until) throw new Error(`Cannot go on: ${what} must come within ${within} ms`)
    await pause(5)
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}
