import { expect, it } from 'vitest'
import { Assembler } from '../../../src/sources/file/assembly.ts'
import { readOnce } from '../../../src/sources/file/read-once.ts'
import { sourceFile } from '../../../src/sources/file/source-file.ts'
import { folder } from './folder.ts'
import { routeYaml } from './manifests.ts'

const definition = (index: number) =>
  `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: kind${index}.example.com\nspec:\n${'  field: value of a field\n'.repeat(2_000)}`

it('reads 1,100 files with 1,650 objects and 170 definitions of foreign kinds in a fraction of a second', () => {
  const place = folder()
  for (let index = 0; index < 930; index++) {
    const more = index < 550 ? `---\n${routeYaml(`more-${index}`)}` : ''
    place.write(`team-${index % 40}/app-${index}/route.yaml`, routeYaml(`r-${index}`) + (index < 720 ? more : ''))
  }
  for (let index = 0; index < 170; index++) place.write(`crds/${index}.yaml`, definition(index))
  const began = performance.now()
  // Processor time, since a machine that does other things says nothing about ours.
  const before = process.cpuUsage()
  const read = readOnce({ paths: [place.path] })
  const { user, system } = process.cpuUsage(before)
  const took = performance.now() - began
  console.log(`1,100 files read in ${took.toFixed(0)} ms, ${((user + system) / 1_000).toFixed(0)} ms of processor time`)
  expect(read.objects).toHaveLength(1_480)
  expect(read.foreign).toMatchObject([{ kind: 'CustomResourceDefinition', count: 170 }])
  expect((user + system) / 1_000).toBeLessThan(2_500)
})

it('spends next to nothing on files that did not change', () => {
  const assembler = new Assembler({})
  const files = Array.from({ length: 5_000 }, (_, index) => sourceFile(`r-${index}.yaml`, '.', routeYaml(`r-${index}`)))
  const fullBegan = performance.now()
  assembler.assemble(files)
  const full = performance.now() - fullBegan
  const times: number[] = []
  for (let edit = 0; edit < 10; edit++) {
    files[edit * 100] = sourceFile(`r-${edit * 100}.yaml`, '.', routeYaml(`r-${edit * 100}`, { hostname: 'new.example.com' }))
    const began = performance.now()
    assembler.assemble(files)
    times.push(performance.now() - began)
  }
  const one = times.sort((a, b) => a - b)[5] ?? Number.NaN
  console.log(`5,000 files: ${full.toFixed(0)} ms at first, ${one.toFixed(1)} ms after one change`)
  expect(one).toBeLessThan(full / 10)
})
