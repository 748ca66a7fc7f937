/** What libuv says, a negative number, as an error of Node's own kind. */
import { getSystemErrorName } from 'node:util'

/** @param target where to, for a connection that did not come to be */
export function systemError(syscall: string, status: number, target = ''): NodeJS.ErrnoException {
  const code = getSystemErrorName(status)
  return Object.assign(new Error(`${syscall} ${code}${target === '' ? '' : ` ${target}`}`), { code, errno: status, syscall })
}
