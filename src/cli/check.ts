/** `gatewright check`: everything that is wrong or doubtful, for a person and for CI. */
import type { Condition } from '../api/meta.ts'
import type { RouteParentStatus } from '../api/route.ts'
import type { LocatedFinding } from '../sources/source.ts'
import type { FileRead } from '../sources/file/assembly.ts'
import type { StatusOf, Translation } from '../translate/translation.ts'
import { allFindings } from './all-findings.ts'
import { checkReport } from './check-report.ts'
import { isBad } from './condition.ts'
import type { SourceFlags } from './flags.ts'
import { translateOffline } from './offline.ts'
import { sarif } from './sarif.ts'
import { serialise } from './serialise.ts'
import { styleFor } from './style.ts'

export interface CheckFlags extends SourceFlags {
  readonly output?: 'json' | 'yaml' | 'sarif'
  readonly failOn: 'error' | 'warning'
}

export async function check(paths: readonly string[], flags: CheckFlags): Promise<number> {
  // An unknown variable is a finding of its own; what it makes of an object must not hide the rest of what is wrong with it.
  const { read, translation } = translateOffline(paths, flags, 'localhost')
  const findings = [...allFindings(read, translation.findings, translation.configs), ...statusFindings(read, translation)]
  switch (flags.output) {
    case 'sarif':
      process.stdout.write(serialise(sarif(findings), 'json'))
      break
    case 'json':
    case 'yaml':
      process.stdout.write(serialise({ findings, files: read.files.length, objects: read.objects.length }, flags.output))
      break
    case undefined:
      process.stdout.write(checkReport(findings, read, styleFor(process.stdout, process.env)))
  }
  const failing = findings.some(({ severity }) => severity === 'error' || (flags.failOn === 'warning' && severity === 'warning'))
  return failing ? 1 : 0
}

/** Conditions that a cluster would write and that say "no": the same words in `check` as in `.status`. */
function statusFindings(read: FileRead, translation: Translation): LocatedFinding[] {
  return translation.statuses.flatMap((status) =>
    refusals(status).map(({ condition, path, where }) => {
      const object = { kind: status.kind, namespace: status.namespace, name: status.name }
      const at = read.locate(object, path)
      return {
        code: `${condition.type}-${condition.reason}`,
        severity: 'error' as const,
        object,
        path,
        message: `${where}${condition.type} is ${condition.status} (${condition.reason}): ${condition.message}`,
        ...(at !== undefined && { at }),
      }
    }),
  )
}

interface Refusal {
  readonly condition: Condition
  readonly path: readonly (string | number)[]
  readonly where: string
}

/** Programmed follows from the others; Conflicted and PartiallyInvalid are bad when they are True. */
function refusals({ kind, status }: StatusOf): Refusal[] {
  const found: Refusal[] = []
  const add = (conditions: readonly Condition[], path: Refusal['path'], where: string): void => {
    for (const condition of conditions.filter(isBad)) found.push({ condition, path, where })
  }
  if ('parents' in status) {
    for (const parent of status.parents) add(parent.conditions ?? [], ['spec', 'parentRefs'], `${parentName(parent)}: `)
    return found
  }
  if ('listeners' in status) {
    for (const [index, listener] of status.listeners.entries())
      add(listener.conditions, ['spec', 'listeners', index], `listener ${listener.name}: `)
    // What the Gateway says of its listeners was just said at each of them.
    if (found.length > 0) return found
  }
  if ('conditions' in status) add(status.conditions, ['spec'], '')
  if ('ancestors' in status) for (const ancestor of status.ancestors) add(ancestor.conditions, ['spec'], `${kind}: `)
  return found
}

function parentName({ parentRef }: RouteParentStatus): string {
  const section = parentRef.sectionName === undefined ? '' : ` listener ${parentRef.sectionName}`
  return `parent ${parentRef.kind ?? 'Gateway'} ${parentRef.namespace === undefined ? '' : `${parentRef.namespace}/`}${parentRef.name}${section}`
}
