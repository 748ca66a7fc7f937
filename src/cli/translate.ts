/** `gatewright translate`: what the controller would write and serve, without opening a socket and without any kindness. */
import type { Translation } from '../translate/translation.ts'
import type { SourceFlags } from './flags.ts'
import { translateOffline } from './offline.ts'
import { serialise } from './serialise.ts'

export interface TranslateFlags extends SourceFlags {
  readonly output?: 'json' | 'yaml'
}

const header = `# What a cluster's controller would write and serve. Offline, so every address counts as granted and every configuration as served.\n`

export async function translate(paths: readonly string[], flags: TranslateFlags): Promise<number> {
  const { read, translation } = await translateOffline(paths, flags, 'keep')
  const format = flags.output ?? 'yaml'
  process.stdout.write((format === 'yaml' ? header : '') + serialise(printable(translation), format))
  const errors = read.findings.filter(({ severity }) => severity === 'error')
  for (const { at, message } of errors)
    process.stderr.write(`${at === undefined ? '' : `${at.file}:${at.line}:${at.column}: `}${message}\n`)
  return errors.length > 0 ? 1 : 0
}

function printable({ statuses, configs, infra }: Translation): object {
  return {
    statuses: statuses.map(({ apiVersion, kind, namespace, name, status }) => ({
      apiVersion,
      kind,
      metadata: namespace === '' ? { name } : { namespace, name },
      status,
    })),
    config: configs,
    infra,
  }
}
