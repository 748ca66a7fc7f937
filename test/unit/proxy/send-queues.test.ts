/** What is made of /proc/self/net/tcp and tcp6. The tables are those of a little-endian machine, as all that tests run on are. */
import { describe, expect, it } from 'vitest'
import type { Ends } from '../../../src/proxy/proxy-protocol/ends.ts'
import { readSendQueues, socketKey } from '../../../src/proxy/send-queue-table.ts'
import { SendQueues, unknown } from '../../../src/proxy/send-queues.ts'
import { StreamTaking } from '../../../src/proxy/h2/stream-taking.ts'

const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
const rest = '04:00000024 00000000     0        0 20259914 2 00000000e974b6a9 20 0 0 17 -1\n'

function line(local: string, remote: string, queue: string): string {
  return `   7: ${local} ${remote} 01 ${queue}:0001FBE5 ${rest}`
}

function ends(local: string, localPort: number, remote: string, remotePort: number): Ends {
  return { destination: { address: local, port: localPort }, source: { address: remote, port: remotePort } }
}

function queueOf(text: string, of: Ends): number | undefined {
  return readSendQueues(text).get(socketKey(of) ?? '')
}

const v4 = ends('127.0.0.1', 8080, '192.0.2.7', 50_000)
const line4 = line('0100007F:1F90', '070200C0:C350', '0038D286')
const mappedLine = line('0000000000000000FFFF00000100007F:1F90', '0000000000000000FFFF0000070200C0:C350', '0000000A')
const line6 = line('B80D0120000000000000000001000000:01BB', '00000000000000000000000001000000:FFFF', '00000001')

describe('the bytes that a peer has not acknowledged', () => {
  it('are found for IPv4', () => {
    expect(queueOf(head + line4, v4)).toBe(0x38d286)
  })

  it('are found for IPv4 on a socket of IPv6', () => {
    expect(queueOf(head + mappedLine, v4)).toBe(10)
    expect(queueOf(head + mappedLine, ends('::ffff:127.0.0.1', 8080, '::ffff:192.0.2.7', 50_000))).toBe(10)
  })

  it('are found for IPv6, with a zone or without', () => {
    expect(queueOf(head + line6, ends('2001:db8::1', 443, '::1', 65_535))).toBe(1)
    expect(queueOf(head + line6, ends('2001:db8::1%eth0', 443, '::1', 65_535))).toBe(1)
  })

  it('are those of one socket, and not of the other end of the connection', () => {
    const other = line('070200C0:C350', '0100007F:1F90', '00000000')
    expect(queueOf(head + line4 + other, v4)).toBe(0x38d286)
    expect(queueOf(head + other + head + line4, v4)).toBe(0x38d286)
  })

  it('are not known of a socket that is gone, nor from what is no table', () => {
    expect(socketKey(ends('', 0, '', 0))).toBeUndefined()
    expect(queueOf('', v4)).toBeUndefined()
    expect(queueOf('no such file\n', v4)).toBeUndefined()
  })
})

describe('the tables', () => {
  it('are read once for all that is asked at one moment', () => {
    let reads = 0
    const queues = new SendQueues(() => {
      reads += 1
      return head + line4
    })
    expect(queues.acknowledged({ ends: v4, passed: 0x38d286 + 5 }, 250)).toBe(5)
    expect(queues.acknowledged({ ends: v4, passed: 0x38d286 + 6 }, 250)).toBe(6)
    expect(reads).toBe(1)
    queues.acknowledged({ ends: v4, passed: 0 }, 500)
    expect(reads).toBe(2)
  })

  it('say nothing where there are none', () => {
    expect(new SendQueues(() => '').acknowledged({ ends: v4, passed: 100 }, 0)).toBe(unknown)
  })
})

describe('a stream whose bytes may lie in the connection', () => {
  let queue = 0
  const queues = new SendQueues(() => head + line('0100007F:1F90', '070200C0:C350', queue.toString(16).toUpperCase().padStart(8, '0')))
  let now = 0
  const at = (passed: number, queued: number, waiting = 0) => {
    queue = queued
    now += 1
    return { ends: v4, passed, waiting }
  }

  it('is taken as long as its connection is', () => {
    const first = at(1_000, 800, 100)
    const taking = new StreamTaking(queues, first)
    expect(taking.look(first, true, now)).toBe(true)
    expect(taking.look(at(1_000, 799, 100), true, now)).toBe(true)
    expect(taking.look(at(1_000, 799, 100), true, now)).toBe(false)
  })

  it('is not taken any more when only others move and it waits for a window', () => {
    const first = at(1_000, 800, 100)
    const taking = new StreamTaking(queues, first)
    expect(taking.look(first, false, now)).toBe(true)
    expect(taking.look(at(2_000, 900), false, now)).toBe(true)
    expect(taking.look(at(3_000, 900), false, now)).toBe(false)
  })

  it('is given up at the first look where nobody knows', () => {
    const nobody = new SendQueues(() => '')
    const sender = at(1_000, 0)
    expect(new StreamTaking(nobody, sender).look(sender, true, now)).toBe(false)
  })
})
