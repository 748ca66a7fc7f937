/** `gatewright.yaml` of the folder that is served: read at the start, and again in each pass, since a save of it is a change like any other. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { SETTLED_MS } from '../sources/file/file-store.ts'
import type { LocatedFinding } from '../sources/source.ts'
import { parseSettings, type Settings, settingsFileName } from '../standalone/settings.ts'
import { UserError } from './user-error.ts'

export const noSettings: Settings = { mappings: [], ports: new Map() }

interface Look {
  readonly settings: Settings
  readonly findings: readonly LocatedFinding[]
}

export class FolderSettings {
  readonly #candidates: readonly string[]
  readonly #started: Settings
  #text: string | undefined
  #last: Look

  /** Of the first of these paths that has some. Throws a UserError when they are wrong: at the start there is nothing to go on with. */
  constructor(paths: readonly string[]) {
    this.#candidates = paths.filter((path) => path !== '-').map((path) => join(path, settingsFileName))
    const file = this.#file()
    this.#text = file && readFileSync(file, 'utf8')
    const { settings, errors } = parseSettings(this.#text ?? '')
    if (errors.length > 0)
      throw new UserError(errors.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`).join('\n'), 2)
    this.#started = settings
    this.#last = { settings, findings: [] }
  }

  /** As they are now. Wrong ones are findings, and the last good ones stay. */
  look(now: number = Date.now()): Look {
    const file = this.#file()
    // Half a save is nobody's settings: when it has settled, whoever watches the folder asks for a pass.
    if (file !== undefined && now - statSync(file).mtimeMs < SETTLED_MS) return this.#last
    const text = file && readFileSync(file, 'utf8')
    if (text !== this.#text) this.#last = this.#read(file ?? '', text)
    this.#text = text
    return this.#last
  }

  #read(file: string, text: string | undefined): Look {
    const { settings, errors } = text === undefined ? { settings: noSettings, errors: [] } : parseSettings(text)
    const said = errors.map(({ line, column, message }): LocatedFinding => ({
      code: 'settings',
      severity: 'error',
      message: `${message}; the settings from before stay in use`,
      at: { file, line, column },
    }))
    if (said.length > 0) return { settings: this.#last.settings, findings: said }
    const late = changedSinceStart(settings, this.#started)
    return { settings, findings: late.length === 0 ? [] : [startAgain(file, late)] }
  }

  #file(): string | undefined {
    return this.#candidates.find(isFile)
  }
}

/** What is named may be a manifest itself: nothing lies in a file, and Node says so with an error that it does not take for a missing entry. */
function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return false
    throw error
  }
}

/** A port that moved would break off what goes through it; and what is under way has begun as the start had it. */
function changedSinceStart(now: Settings, started: Settings): string[] {
  const text = ({ ports, bounds = {}, acceptProxyProtocol = [] }: Settings) => ({
    ports: JSON.stringify([...ports].sort(([a], [b]) => a - b)),
    bounds: JSON.stringify(Object.entries(bounds).sort(([a], [b]) => (a < b ? -1 : 1))),
    'accept-proxy-protocol': acceptProxyProtocol.map(({ version, bits, prefix }) => `${version} ${bits}/${prefix}`).join(', '),
  })
  const [one, other] = [text(now), text(started)]
  return (['ports', 'bounds', 'accept-proxy-protocol'] as const).filter((field) => one[field] !== other[field])
}

function startAgain(file: string, fields: readonly string[]): LocatedFinding {
  const at = { file, line: 1, column: 1 }
  return {
    code: 'settings-at-start',
    severity: 'warning',
    message: `${fields.join(' and ')} of ${settingsFileName} changed: they stay as they were at the start; start again to change them.`,
    ...(file !== '' && { at }),
  }
}
