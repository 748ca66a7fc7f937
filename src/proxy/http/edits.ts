/** Header edits of a filter, in the order of the specification: set, add, remove (HTTPHeaderFilter). */
import type { CompiledEdits } from '../../routing/router.ts'
import type { FieldList } from '../http1/field-list.ts'

/** Of filters: compiling has refused names that are the gateway's own. */
export function applyEdits(fields: FieldList, { set, add, remove }: CompiledEdits): void {
  for (const edit of set) fields.replace(edit)
  for (const edit of add) fields.append(edit)
  if (remove.size > 0) for (const lower of remove) fields.remove(lower)
}

/** Of an authorisation server, which may name anything: Host and framing fields are left alone. */
export function applyGiven(fields: FieldList, { set, add, remove }: CompiledEdits): void {
  for (const { name, lower, value } of set) fields.set(name, lower, value)
  for (const { name, lower, value } of add) fields.add(name, lower, value)
  for (const lower of remove) fields.remove(lower)
}
