/** `gatewright check`: everything that is wrong or doubtful, for a person and for CI. */
import { translate } from '../translate/translate.ts'
import { allFindings } from './all-findings.ts'
import { checkReport } from './check-report.ts'
import { type SourceFlags, translateOptions } from './flags.ts'
import { translateOffline } from './offline.ts'
import { withNearServices } from './near-services.ts'
import { sarif } from './sarif.ts'
import { serialise } from './serialise.ts'
import { statusFindings, withWhatIsElsewhere } from './status-findings.ts'
import { styleFor } from './style.ts'

export interface CheckFlags extends SourceFlags {
  readonly output?: 'json' | 'yaml' | 'sarif'
  readonly failOn: 'error' | 'warning'
}

export async function check(paths: readonly string[], flags: CheckFlags): Promise<number> {
  // An unknown variable is a finding of its own; what it makes of an object must not hide the rest of what is wrong with it.
  const { read, snapshot, translation, isWhole } = await translateOffline(paths, flags, 'localhost')
  const options = translateOptions(flags)
  const whole = isWhole ? translation : translate(withWhatIsElsewhere(snapshot, translation, options.controllerName), options).translation
  const said = withNearServices(allFindings(read, translation.findings, whole.configs), snapshot, read)
  const findings = [...said, ...statusFindings(read, snapshot, translation, whole)]
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
