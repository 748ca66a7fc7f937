import { defineConfig } from 'vitest/config'

// `npm run test:cluster`: run by test/cluster/main.ts inside a cluster that all files share, one after another.
export default defineConfig({
  test: {
    include: ['test/cluster/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
