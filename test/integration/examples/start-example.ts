/** `gatewright run` on an example, with the program that its expect.yaml wants beside it. */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { root } from '../../harness/command-build.ts'
import { ExampleCopy } from '../../harness/example-copy.ts'
import { eventually } from '../../harness/eventually.ts'
import { RunningGateway } from '../../harness/running-gateway.ts'
import { readBeside } from './expectation.ts'

/** The caller closes it; what runs beside ends with the test. */
export async function startExample(example: string): Promise<RunningGateway> {
  const folder = join(root, 'examples', example)
  const beside = readBeside(join(folder, 'expect.yaml'))
  if (beside === undefined) return RunningGateway.start([join('examples', example)])
  const port = await startScript(join(folder, beside.script))
  if (beside.service !== undefined)
    return RunningGateway.start([join('examples', example), '--service', `${beside.service}=localhost:${port}`])
  // Its port may be somebody else's here.
  const copy = new ExampleCopy(example)
  const named = `number: ${beside.port}`
  const manifests = readdirSync(copy.path).filter((file) => file.endsWith('.yaml') && copy.read(file).includes(named))
  expect(manifests.length, `manifests with "${named}"`).toBeGreaterThan(0)
  for (const file of manifests) copy.save(file, copy.read(file).replaceAll(named, `number: ${port}`))
  return RunningGateway.start([copy.path])
}

/** Resolves with its port. */
async function startScript(file: string): Promise<string> {
  const child = spawn(process.execPath, [file, '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill())
  let said = ''
  child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()))
  return eventually(() => /^listens on (\d+)$/m.exec(said)?.[1], `the port of ${file}`, 10_000)
}
