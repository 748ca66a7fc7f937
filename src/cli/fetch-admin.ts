/** One document of a running gateway's admin port. */
import { UserError } from './user-error.ts'

/** @param verb what the command cannot do without it. Throws a UserError that names the address. */
export async function fetchAdmin<T>(verb: string, admin: string, path: string): Promise<T> {
  const problem = (got: string): UserError =>
    new UserError(`Cannot ${verb}: --admin must be the admin address that \`gatewright run\` printed, got ${admin} (${got})`, 2)
  try {
    const response = await fetch(new URL(path, admin))
    if (!response.ok) throw problem(`${path} answered ${response.status}`)
    return (await response.json()) as T
  } catch (error) {
    if (error instanceof UserError) throw error
    throw problem(error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error))
  }
}
