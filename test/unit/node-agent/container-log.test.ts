import { describe, expect, it } from 'vitest'
import { ContainerLog } from '../../cluster/node/container-log.ts'

describe("a container's log", () => {
  it('has whole lines, whatever pieces they came in', () => {
    const log = new ContainerLog()
    log.write('stdout', 'on')
    log.write('stderr', 'else\n')
    log.write('stdout', 'e\ntwo')
    expect(log.read({})).toBe('else\none\n')
    log.end()
    expect(log.read({ tailLines: 1 })).toBe('two\n')
  })

  it('tells followers each line and then the end', () => {
    const log = new ContainerLog()
    const heard: (string | undefined)[] = []
    log.follow({}, (line) => heard.push(line))
    log.write('stdout', 'one\n')
    log.end()
    log.follow({}, (line) => heard.push(line))
    expect(heard).toEqual(['one\n', undefined, undefined])
  })

  it('leaves out what is older than asked', () => {
    const log = new ContainerLog()
    log.write('stdout', 'one\n')
    expect(log.read({ since: Date.now() + 1000 })).toBe('')
    expect(log.read({ since: Date.now() - 1000 })).toBe('one\n')
  })
})
