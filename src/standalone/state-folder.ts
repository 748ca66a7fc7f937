/** Where things that outlive a run are kept (XDG Base Directory Specification: $XDG_STATE_HOME, an absolute path, or ~/.local/state). */
import { isAbsolute, join } from 'node:path'

export function stateFolder(env: { readonly XDG_STATE_HOME?: string | undefined }, home: string): string {
  const base = env.XDG_STATE_HOME
  return join(base !== undefined && isAbsolute(base) ? base : join(home, '.local', 'state'), 'gatewright')
}
