/** One status out of the list of a Translation, which is sorted: a look-up costs the same however many there are. */
import { compareText } from '../cluster/order.ts'
import type { StatusOf } from '../translate/translation.ts'

type Subject = Pick<StatusOf, 'kind' | 'namespace' | 'name'>

/** @param sorted by kind, namespace and name */
export function statusOf(sorted: readonly StatusOf[], subject: Subject): StatusOf | undefined {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const status = sorted[middle]
    const order = status === undefined ? 0 : compare(status, subject)
    if (order === 0) return status
    if (order < 0) low = middle + 1
    else high = middle
  }
  return undefined
}

function compare(a: Subject, b: Subject): number {
  return compareText(a.kind, b.kind) || compareText(a.namespace, b.namespace) || compareText(a.name, b.name)
}
