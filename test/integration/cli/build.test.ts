import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { root } from '../../harness/command-build.ts'

it('every build leaves a command that can be executed, as `npx gatewright` does', () => {
  mkdirSync(join(root, 'build'), { recursive: true })
  // Within the project, where its dependencies are found.
  const folder = mkdtempSync(join(root, 'build', 'executable-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(join(root, 'package.json'), join(folder, 'package.json'))
  const dist = join(folder, 'dist')
  const { status, stderr } = spawnSync('npm', ['run', 'build', '--', '--outDir', dist], { cwd: root, encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  expect(execFileSync(join(dist, 'cli', 'main.js'), ['--version'], { encoding: 'utf8' })).toMatch(/^\d+\.\d+\.\d+\n$/)
}, 60_000)
