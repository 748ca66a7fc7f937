/**
 * Whether an endpoint takes requests, as far as its own failures tell (passive health). A state machine without a clock:
 * the state and what happened go in, the next state comes out, the same object when nothing changed.
 *
 *     available --failures--> ejected --a connection stands--> trial --an answer--> available
 *                                ^  \--it does not--> ejected, longer          \--a failure--> ejected, longer
 *
 * A connection that is not established ejects at once: no request can bring that about. Requests that fail eject when
 * they are several in a row, or too large a share, since a single one may be the request's own fault. An answer is
 * an answer, whatever its status. An ejection ends with a connection of the gateway's own, which costs no request, and
 * then with a single request.
 */
import type { Bounds } from '../../config/bounds.ts'
import { neverConnected, type UpstreamFailure } from './failure.ts'

export type Health =
  | {
      readonly kind: 'available'
      /** Milliseconds; since when, -Infinity from the beginning. */
      readonly since: number
      /** What the next ejection lasts grows with it. */
      readonly level: number
      /** Failed requests since the last answer. */
      readonly row: number
      /** Begins with a failure; undefined before the first one. */
      readonly window: FailureWindow | undefined
    }
  | { readonly kind: 'ejected'; readonly since: number; readonly until: number; readonly level: number; readonly reason: UpstreamFailure }
  /** A connection to it stands, and one request shall show what that is worth. */
  | { readonly kind: 'trial'; readonly since: number; readonly level: number; readonly reason: UpstreamFailure }

export interface FailureWindow {
  readonly from: number
  /** Outcomes of requests before it began. */
  readonly outcomes: number
  readonly failures: number
}

export type HealthEvent =
  | { readonly kind: 'answered' }
  /** `outcomes`: of requests to this endpoint so far, this one included. */
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure; readonly outcomes: number }
  /** A connection of the gateway's own was made, and stood or did not. */
  | { readonly kind: 'probed'; readonly stands: boolean }

export type HealthPolicy = Pick<Bounds, 'ejectFailures' | 'ejectPercent' | 'ejectTime' | 'ejectTimeMost'>

export const healthy: Health = { kind: 'available', since: Number.NEGATIVE_INFINITY, level: 0, row: 0, window: undefined }

/** A share of fewer requests says nothing. */
const fewestOutcomes = 20
const windowTime = 10_000

/**
 * @param now milliseconds, never less than before
 * @param chance in [0, 1): spreads the ends of ejections that began together
 */
export function advance(state: Health, event: HealthEvent, now: number, policy: HealthPolicy, chance: number): Health {
  switch (state.kind) {
    case 'available':
      return fromAvailable(state, event, now, policy, chance)
    case 'ejected':
      // What was under way when it was ejected says nothing about now.
      if (event.kind !== 'probed') return state
      if (event.stands) return { kind: 'trial', since: now, level: state.level, reason: state.reason }
      return ejected(state.reason, state.level + 1, now, policy, chance)
    case 'trial':
      switch (event.kind) {
        case 'answered':
          return { kind: 'available', since: now, level: state.level + 1, row: 0, window: undefined }
        case 'failed':
          return ejected(event.failure, state.level + 1, now, policy, chance)
        case 'probed':
          return state
      }
  }
}

type Available = Extract<Health, { readonly kind: 'available' }>

function fromAvailable(state: Available, event: HealthEvent, now: number, policy: HealthPolicy, chance: number): Health {
  switch (event.kind) {
    case 'answered':
      return state.row === 0 ? state : { ...state, row: 0 }
    case 'probed':
      return event.stands ? state : ejected('connect-refused', levelAfter(state, now, policy), now, policy, chance)
    case 'failed': {
      const row = state.row + 1
      const window = widened(state.window, event.outcomes, now)
      if (!neverConnected(event.failure) && row < policy.ejectFailures && !fails(window, event.outcomes, policy))
        return { ...state, row, window }
      return ejected(event.failure, levelAfter(state, now, policy), now, policy, chance)
    }
  }
}

function ejected(reason: UpstreamFailure, level: number, now: number, policy: HealthPolicy, chance: number): Health {
  const time = Math.min(policy.ejectTime * 2 ** level, policy.ejectTimeMost)
  return { kind: 'ejected', since: now, until: now + time * (0.9 + 0.2 * chance), level, reason }
}

/** Ejections before are forgotten by one that has served well for as long as the longest of them. */
function levelAfter(state: Available, now: number, policy: HealthPolicy): number {
  return now - state.since >= policy.ejectTimeMost ? 0 : state.level
}

function widened(window: FailureWindow | undefined, outcomes: number, now: number): FailureWindow {
  if (window === undefined || now - window.from >= windowTime) return { from: now, outcomes: outcomes - 1, failures: 1 }
  return { ...window, failures: window.failures + 1 }
}

function fails(window: FailureWindow, outcomes: number, policy: HealthPolicy): boolean {
  const all = outcomes - window.outcomes
  return all >= fewestOutcomes && window.failures * 100 >= all * policy.ejectPercent
}
