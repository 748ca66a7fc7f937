/** Where this checkout lies. The code of the cluster runs from test/cluster (vitest) and from build/test/cluster (compiled). */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

function findRoot(): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, 'package-lock.json'))) {
    if (folder === dirname(folder))
      throw new Error(`Cannot find the checkout: a folder above ${import.meta.dirname} must have package-lock.json`)
    folder = dirname(folder)
  }
  return folder
}

export const checkout = findRoot()
