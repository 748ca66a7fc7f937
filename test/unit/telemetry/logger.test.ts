import { describe, expect, it } from 'vitest'
import { createLogger, type LogLevel } from '../../../src/telemetry/logger.ts'

function logged(format: 'text' | 'json', level: LogLevel = 'info') {
  const lines: string[] = []
  return { lines, logger: createLogger({ level, format, write: (line) => lines.push(line) }) }
}

describe('the log', () => {
  it('writes JSON lines with time, level, message and fields', () => {
    const { lines, logger } = logged('json')
    logger.warn('a port could not be opened', { port: 80, error: new Error('taken') })
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      level: 'warn',
      message: 'a port could not be opened',
      port: 80,
      error: { message: 'taken' },
    })
    expect(lines[0]?.endsWith('}\n')).toBe(true)
  })

  it('writes text that stays one line whatever the values hold', () => {
    const { lines, logger } = logged('text')
    logger.info('ready', { address: '127.0.0.1:80', reason: 'two\nlines', list: [1, 2] })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^\S+Z info  ready address=127\.0\.0\.1:80 reason="two\\nlines" list=\[1,2\]\n$/)
  })

  it('leaves out what is below its level', () => {
    const { lines, logger } = logged('text', 'warn')
    logger.debug('a')
    logger.info('b')
    logger.error('c')
    expect(lines.map((line) => line.split(' ').slice(1).join(' '))).toEqual(['error c\n'])
  })
})
