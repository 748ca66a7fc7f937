/** Findings as SARIF 2.1.0 (OASIS), which code review tools show beside the changed lines. */
import type { LocatedFinding, Location } from '../sources/source.ts'
import { version } from './version.ts'

export function sarif(findings: readonly LocatedFinding[]): object {
  const codes = [...new Set(findings.map(({ code }) => code))].sort()
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'gatewright', version, rules: codes.map((id) => ({ id })) } },
        results: findings.map((finding) => ({
          ruleId: finding.code,
          ruleIndex: codes.indexOf(finding.code),
          level: finding.severity,
          message: { text: messageOf(finding) },
          locations: finding.at === undefined ? [] : [physical(finding.at)],
          ...(finding.uses !== undefined && { relatedLocations: finding.uses.map(physical) }),
        })),
      },
    ],
  }
}

function messageOf({ object, message, fix }: LocatedFinding): string {
  const name = object === undefined ? '' : `${object.kind} ${object.namespace === '' ? '' : `${object.namespace}/`}${object.name}: `
  if (fix === undefined) return name + message
  return `${name}${message}\n${'text' in fix ? fix.text : `Add:\n${fix.yaml}`}`
}

function physical({ file, line, column }: Location): object {
  const uri = file.split('\\').join('/').split('/').map(encodeURIComponent).join('/')
  return { physicalLocation: { artifactLocation: { uri }, region: { startLine: line, startColumn: column } } }
}
