/** `gatewright run` on an example, with the program that its expect.yaml wants beside it. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { root } from '../../harness/command-build.ts'
import { eventually } from '../../harness/eventually.ts'
import { RunningGateway } from '../../harness/running-gateway.ts'
import { readBeside } from './expectation.ts'

/** The caller closes it; what runs beside ends with the test. */
export async function startExample(example: string): Promise<RunningGateway> {
  const folder = join(root, 'examples', example)
  const beside = readBeside(join(folder, 'expect.yaml'))
  const flags = beside === undefined ? [] : ['--service', `${beside.service}=localhost:${await startScript(join(folder, beside.script))}`]
  return RunningGateway.start([join('examples', example), ...flags])
}

/** Resolves with its port. */
async function startScript(file: string): Promise<string> {
  const child = spawn(process.execPath, [file, '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill())
  let said = ''
  child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()))
  return eventually(() => /^listens on (\d+)$/m.exec(said)?.[1], `the port of ${file}`, 10_000)
}
