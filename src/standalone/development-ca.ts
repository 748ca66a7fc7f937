/**
 * The local development CA: its key never leaves the user's state folder, its leaves are kept beside it and reused while they hold.
 *
 *     FOLDER/ca/ca.pem       what a client may trust
 *     FOLDER/ca/ca-key.pem   0600
 *     FOLDER/leaves/NAME.pem key and certificate, 0600
 */
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeAuthority, makeLeaf } from '../x509/certificate.ts'
import type { CertificateAndKey } from '../x509/certificate.ts'

/** A certificate and its key as a Secret of type kubernetes.io/tls holds them: PEM in base64. */
export interface Leaf {
  readonly hostname: string
  readonly data: { readonly 'tls.crt': string; readonly 'tls.key': string }
}

const day = 24 * 60 * 60 * 1000
/** A certificate is replaced when less than this is left of it. */
const renewBefore = 30 * day
const authorityLife = 3650 * day
/** Operating systems refuse server certificates that hold longer than 398 days. */
const leafLife = 397 * day
/** Clocks of containers and of the machines they run on differ a little. */
const backdate = day

export class DevelopmentCa {
  readonly #folder: string
  readonly #authority: CertificateAndKey
  readonly #leaves = new Map<string, { readonly leaf: Leaf; readonly until: number }>()

  private constructor(folder: string, authority: CertificateAndKey) {
    this.#folder = folder
    this.#authority = authority
  }

  /** Opens the CA in `folder`, which is made when it is not there; `now` in milliseconds. Throws when the folder cannot be used. */
  static async open(folder: string, now: number): Promise<DevelopmentCa> {
    await mkdir(join(folder, 'leaves'), { recursive: true, mode: 0o700 })
    const known = await readAuthority(folder)
    if (known !== undefined && holds(known.certificate, now)) return new DevelopmentCa(folder, known)
    return new DevelopmentCa(folder, await createAuthority(folder, now))
  }

  /** The file to trust. */
  get certificatePath(): string {
    return authorityPath(this.#folder)
  }

  /** A certificate for an exact or wildcard hostname in lower case; the same object as long as it holds. */
  async leaf(hostname: string, now: number): Promise<Leaf> {
    const known = this.#leaves.get(hostname)
    if (known !== undefined && known.until - now > renewBefore) return known.leaf
    const kept = (await this.#read(hostname, now)) ?? (await this.#make(hostname, now))
    const leaf = { hostname, data: { 'tls.crt': base64(kept.certificate), 'tls.key': base64(kept.key) } }
    this.#leaves.set(hostname, { leaf, until: expiry(new X509Certificate(kept.certificate)) })
    return leaf
  }

  async #read(hostname: string, now: number): Promise<CertificateAndKey | undefined> {
    const text = await readIfThere(this.#pathOf(hostname))
    const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/.exec(text ?? '')?.[0]
    const key = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n?/.exec(text ?? '')?.[0]
    if (certificate === undefined || key === undefined) return undefined
    return belongs(certificate, key, this.#authority) && holds(certificate, now) ? { certificate, key } : undefined
  }

  async #make(hostname: string, now: number): Promise<CertificateAndKey> {
    const addresses = hostname === 'localhost' ? ['127.0.0.1', '::1'] : []
    const until = Math.min(now + leafLife, expiry(new X509Certificate(this.#authority.certificate)))
    const made = makeLeaf(this.#authority, [hostname], addresses, { from: new Date(now - backdate), until: new Date(until) })
    const path = this.#pathOf(hostname)
    const draft = `${path}.${randomBytes(6).toString('hex')}`
    await writeFile(draft, made.key + made.certificate, { mode: 0o600, flag: 'wx' })
    await rename(draft, path)
    return made
  }

  #pathOf(hostname: string): string {
    return join(this.#folder, 'leaves', `${hostname.replace('*', 'wildcard')}.pem`)
  }
}

function authorityPath(folder: string): string {
  return join(folder, 'ca', 'ca.pem')
}

async function readAuthority(folder: string): Promise<CertificateAndKey | undefined> {
  const certificate = await readIfThere(authorityPath(folder))
  const key = await readIfThere(join(folder, 'ca', 'ca-key.pem'))
  if (certificate === undefined || key === undefined) return undefined
  const own = { certificate, key }
  return belongs(certificate, key, own) ? own : undefined
}

/** Both files appear in one rename. Where another process was faster, its CA is taken; one that is of no use makes room. */
async function createAuthority(folder: string, now: number): Promise<CertificateAndKey> {
  const suffix = randomBytes(4).toString('hex')
  // A name of its own: a client that trusted an earlier CA of the same name would report a bad signature instead of an unknown issuer.
  const made = makeAuthority(`Gatewright development CA ${suffix}`, {
    from: new Date(now - backdate),
    until: new Date(now + authorityLife),
  })
  const place = join(folder, 'ca')
  const draft = join(folder, `ca.${suffix}`)
  await mkdir(draft, { mode: 0o700 })
  await writeFile(join(draft, 'ca.pem'), made.certificate, { mode: 0o644 })
  await writeFile(join(draft, 'ca-key.pem'), made.key, { mode: 0o600 })
  if (await renamed(draft, place)) return made
  const other = await readAuthority(folder)
  if (other !== undefined && holds(other.certificate, now)) {
    await rm(draft, { recursive: true })
    return other
  }
  const old = `${draft}.old`
  await rename(place, old)
  await rename(draft, place)
  await rm(old, { recursive: true })
  return made
}

/** False when there is a folder with content already. */
async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if (hasCode(error, 'ENOTEMPTY') || hasCode(error, 'EEXIST')) return false
    throw error
  }
}

/** True when the key is the certificate's and `authority` signed it. Text that is neither is not an error but of no use. */
function belongs(certificate: string, key: string, authority: CertificateAndKey): boolean {
  try {
    const parsed = new X509Certificate(certificate)
    return parsed.checkPrivateKey(createPrivateKey(key)) && parsed.verify(new X509Certificate(authority.certificate).publicKey)
  } catch {
    return false
  }
}

function holds(certificate: string, now: number): boolean {
  return expiry(new X509Certificate(certificate)) - now > renewBefore
}

function expiry(certificate: X509Certificate): number {
  return Date.parse(certificate.validTo)
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
