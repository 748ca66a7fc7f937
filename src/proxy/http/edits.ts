/** Header edits of a filter, in the order of the specification: set, add, remove (HTTPHeaderFilter). */
import type { CompiledEdits } from '../../routing/router.ts'
import type { FieldList } from '../http1/field-list.ts'

export function applyEdits(fields: FieldList, { set, add, remove }: CompiledEdits): void {
  for (const edit of set) fields.replace(edit)
  for (const edit of add) fields.append(edit)
  if (remove.size > 0) for (const lower of remove) fields.remove(lower)
}
