/** Asks a container how it is: one attempt of a probe, and the loop around it. */
import { get as getPlain } from 'node:http'
import { get as getTls } from 'node:https'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Container, Probe } from '../objects.ts'

/**
 * Calls back when the answer has changed for as many attempts as the probe's thresholds ask for; ends with `signal`.
 * `first` is what counts before the first attempt.
 */
export async function keepProbing(
  probe: Probe,
  container: Container,
  address: string,
  signal: AbortSignal,
  onChange: (healthy: boolean) => void,
  first: boolean,
): Promise<void> {
  let healthy = first
  let row = 0
  try {
    await delay((probe.initialDelaySeconds ?? 0) * 1000, undefined, { signal })
    for (;;) {
      const answer = await succeeds(probe, container, address)
      if (signal.aborted) return
      row = answer === healthy ? 0 : row + 1
      if (row >= (answer ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3))) {
        healthy = answer
        row = 0
        onChange(healthy)
      }
      await delay((probe.periodSeconds ?? 10) * 1000, undefined, { signal })
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

function succeeds(probe: Probe, container: Container, address: string): Promise<boolean> {
  const timeout = (probe.timeoutSeconds ?? 1) * 1000
  const { httpGet, tcpSocket } = probe
  if (httpGet !== undefined) return httpAnswers(httpGet, portOf(container, httpGet.port), address, timeout)
  if (tcpSocket !== undefined) return accepts(address, portOf(container, tcpSocket.port), timeout)
  throw new Error('only httpGet and tcpSocket probes are supported')
}

function portOf(container: Container, port: number | string): number {
  if (typeof port === 'number') return port
  const found = container.ports?.find(({ name }) => name === port)
  if (found === undefined) throw new Error(`container ${container.name} has no port ${port}`)
  return found.containerPort
}

function httpAnswers(httpGet: NonNullable<Probe['httpGet']>, port: number, host: string, timeout: number): Promise<boolean> {
  const headers = Object.fromEntries((httpGet.httpHeaders ?? []).map(({ name, value }) => [name, value]))
  const options = { host, port, path: httpGet.path ?? '/', timeout, agent: false, headers, rejectUnauthorized: false }
  return new Promise((resolve) => {
    const request = (httpGet.scheme === 'HTTPS' ? getTls : getPlain)(options, (response) => {
      response.resume()
      const status = response.statusCode ?? 0
      resolve(status >= 200 && status < 400)
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(false))
    request.on('close', () => resolve(false))
  })
}

function accepts(host: string, port: number, timeout: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout })
    const end = (answer: boolean) => (): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.on('connect', end(true)).on('timeout', end(false)).on('error', end(false))
  })
}
