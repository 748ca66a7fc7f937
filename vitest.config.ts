import { defineConfig } from 'vitest/config'

// No isolation: test files share one module graph for each process, which keeps the gate fast.
// It holds as long as no module of ours keeps state, so there is no `vi.mock` here either.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // They need root, Go and minutes: vitest.cluster.config.ts.
    exclude: ['test/cluster/**'],
    pool: 'forks',
    isolate: false,
    maxWorkers: 2,
    testTimeout: 20_000,
  },
})
