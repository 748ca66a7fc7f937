/** Opens many at once. When one cannot be opened, those that were are closed before that is told. */
export async function allOrNone<T extends { close(): Promise<unknown> | void }>(opening: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(opening)
  const opened = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = settled.find((one) => one.status === 'rejected')
  if (failed === undefined) return opened
  await Promise.allSettled(opened.map(async (one) => one.close()))
  throw failed.reason
}
