/** Prints the views of `run`: the first one whole, then what changed. For programs one JSON line (or YAML document) each. */
import { stringify } from 'yaml'
import { openListeners } from './open-listeners.ts'
import { changedStatuses, changeReport, mendedFindings, newFindings, removedObjects } from './change-report.ts'
import { type RunSurroundings, startReport } from './run-report.ts'
import type { View } from './serving.ts'
import { styleFor } from './style.ts'

export class RunOutput {
  readonly #format: 'json' | 'yaml' | undefined
  readonly #surroundings: () => RunSurroundings
  #shown: View | undefined

  /** `surroundings` is asked for with the first view. */
  constructor(format: 'json' | 'yaml' | undefined, surroundings: () => RunSurroundings) {
    this.#format = format
    this.#surroundings = surroundings
  }

  show(view: View): void {
    const before = this.#shown
    this.#shown = view
    if (this.#format === undefined) this.#showPerson(before, view)
    else this.#showProgram(before, view, this.#format)
  }

  #showPerson(before: View | undefined, view: View): void {
    const style = styleFor(process.stdout, process.env)
    if (before === undefined) {
      process.stdout.write(startReport(view, this.#surroundings(), style))
      return
    }
    const text = changeReport(before, view, style)
    if (text !== '') process.stdout.write(`${style.dim(new Date().toISOString().slice(11, 19))}\n${text}`)
  }

  #showProgram(before: View | undefined, view: View, format: 'json' | 'yaml'): void {
    const value =
      before === undefined
        ? { ready: true, admin: this.#surroundings().admin, listeners: openListeners(view) }
        : {
            changed: true,
            listeners: openListeners(view),
            statuses: changedStatuses(before.here, view.here),
            removed: removedObjects(before.here, view.here),
            findings: newFindings(before, view),
            mended: mendedFindings(before, view),
          }
    process.stdout.write(format === 'json' ? `${JSON.stringify(value)}\n` : `---\n${stringify(value, { lineWidth: 0 })}`)
  }
}
