/** Applies what a CORS filter decided (HTTPCORSFilter): to preflights, answers of backends, and answers of our own. */
import type { CompiledEdit, CompiledEdits } from '../../routing/router.ts'
import type { FieldList } from '../http1/field-list.ts'
import type { Answer } from './answers.ts'

/** The gateway's own answer to a preflight: it never reaches a backend. */
export function preflightAnswer(fields: readonly CompiledEdit[]): Answer {
  return { status: 204, flag: 'preflight', filter: 'CORS', location: '', fields }
}

/** The decision is the gateway's alone: what the backend said of it goes. */
export function decorate(fields: FieldList, { remove, set, add }: CompiledEdits): void {
  for (const lower of remove) fields.remove(lower)
  for (const { name, lower, value } of set) fields.set(name, lower, value)
  for (const { name, lower, value } of add) if (!varies(fields.get(lower), value)) fields.add(name, lower, value)
}

export function decorated(answer: Answer, { set, add }: CompiledEdits): Answer {
  return { ...answer, fields: [...(answer.fields ?? []), ...set, ...add] }
}

/** Whether a list (it is always Vary's) has the member already, or `*`. */
function varies(list: string | undefined, member: string): boolean {
  if (list === undefined) return false
  const members = list.split(',').map((one) => one.trim().toLowerCase())
  return members.includes(member.toLowerCase()) || members.includes('*')
}
