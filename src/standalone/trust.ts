/** How a user makes clients trust the development CA. Command lines as printed; a path with spaces or quotes is quoted for the shell. */

export interface TrustHint {
  readonly client: string
  readonly command: string
}

/** `platform` is `process.platform`. */
export function trustHints(certificatePath: string, platform: string): readonly TrustHint[] {
  const path = /^[\w@%+=:,./-]+$/.test(certificatePath) ? certificatePath : `'${certificatePath.replaceAll("'", `'\\''`)}'`
  return [
    { client: 'curl', command: `curl --cacert ${path}` },
    { client: 'Node.js', command: `export NODE_EXTRA_CA_CERTS=${path}` },
    systemHint(path, platform),
  ]
}

function systemHint(path: string, platform: string): TrustHint {
  if (platform === 'darwin')
    return { client: 'macOS', command: `sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ${path}` }
  if (platform === 'win32') return { client: 'Windows', command: `certutil -user -addstore Root ${path}` }
  return { client: 'Linux', command: `sudo cp ${path} /usr/local/share/ca-certificates/gatewright.crt && sudo update-ca-certificates` }
}
