import { describe, expect, it, onTestFinished } from 'vitest'
import { runCommand } from '../../harness/command.ts'
import { RunningGateway } from '../../harness/running-gateway.ts'

describe('gatewright explain --admin', () => {
  it('explains what a running gateway serves as it explains the folder', async () => {
    const gateway = await RunningGateway.start(['examples/multi-team'])
    onTestFinished(async () => void (await gateway.close()))
    const ask = async (from: readonly string[], url: string) => {
      const { code, stdout, stderr } = await runCommand(['explain', ...from, '--request', `GET ${url}`, '-o', 'json'])
      expect(stderr).toBe('')
      return { code, ...(JSON.parse(stdout) as { answers: unknown; refused: unknown; notes: unknown }) }
    }
    for (const host of ['store.example.com', 'lab.example.com']) {
      const { port } = gateway.place(`http://${host}/`)
      const folder = await ask(['examples/multi-team'], `http://${host}/pay`)
      const live = await ask(['--admin', gateway.ready.admin], `http://${host}:${port}/pay`)
      expect([live.code, live.answers, live.refused, live.notes]).toEqual([folder.code, folder.answers, folder.refused, folder.notes])
    }
  })
})
