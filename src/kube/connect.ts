/** A client on the real clock, by the credentials that a command was given. */
import { KubeClient } from './client.ts'
import { type CredentialsOptions, loadCredentials } from './credentials.ts'
import { delay } from './delay.ts'

export interface ConnectOptions extends CredentialsOptions {
  readonly userAgent: string
  /** Milliseconds for one attempt of a request. */
  readonly deadline?: number
}

/** Throws a KubeError when there are no credentials; whether the server can be reached shows with the first request. */
export async function connect({ userAgent, deadline, ...options }: ConnectOptions): Promise<KubeClient> {
  const credentials = await loadCredentials(options)
  return new KubeClient({ credentials, userAgent, ...(deadline !== undefined && { deadline }), random: Math.random, delay })
}
