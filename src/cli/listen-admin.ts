import type { AdminServer } from '../admin/admin-server.ts'
import { UserError } from './user-error.ts'

export async function listenAdmin(admin: AdminServer, address: string, port: number): Promise<number> {
  try {
    return await admin.listen(address, port)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UserError(
      `Cannot open the admin port: ${address}:${port} must be free, got: ${reason}. Name another with --admin-port.`,
      1,
      error,
    )
  }
}
