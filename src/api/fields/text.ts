/** Texts that many kinds share (apis/v1 shared_types.go). The patterns are the CRDs', without ways to backtrack for long. */
import { integer, text } from '../schema/scalar.ts'

const LABEL = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN = `${LABEL}(?:\\.${LABEL})*`

export const subdomainPattern = new RegExp(`^${SUBDOMAIN}$`)
export const hostnamePattern = new RegExp(`^(?:\\*\\.)?${SUBDOMAIN}$`)
/** pchar of RFC 3986 section 3.3 and "/". */
export const pathPattern = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$/

/** Hostname: a wildcard may be the first label. */
export const hostname = text({
  min: 1,
  max: 253,
  pattern: hostnamePattern,
  is: 'a DNS name in lower case, where only the first label may be "*"',
})
export const preciseHostname = text({ min: 1, max: 253, pattern: subdomainPattern, is: 'a DNS name in lower case without a wildcard' })

export const sectionName = text({ min: 1, max: 253, pattern: subdomainPattern, is: 'a name of lower case letters, digits, "-" and "."' })
export const objectName = text({ min: 1, max: 253 })
export const namespace = text({
  min: 1,
  max: 63,
  pattern: new RegExp(`^${LABEL}$`),
  is: 'a DNS label (lower case letters, digits and "-")',
})
export const group = text({
  max: 253,
  pattern: new RegExp(`^$|^${SUBDOMAIN}$`),
  is: 'an API group: a DNS name in lower case, or "" for core',
})
export const kind = text({ min: 1, max: 63, pattern: /^[a-zA-Z](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$/, is: 'a kind: letters, digits and "-"' })
export const port = integer({ min: 1, max: 65535 })

/** The token of RFC 9110 section 5.6.2. */
export const headerName = text({
  min: 1,
  max: 256,
  pattern: /^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$/,
  is: 'an HTTP token (RFC 9110 section 5.6.2)',
})

/** Visible ASCII with single spaces or tabs between (RFC 9110 section 5.5). The CRD's pattern says the same in a way that can take exponential time. */
export const headerValue = text({
  min: 1,
  max: 4096,
  pattern: /^[!-~]+(?:[\t ][!-~]+)*$/,
  is: 'visible ASCII characters with single spaces or tabs between them',
})

/** GEP-2257. */
export const duration = text({ pattern: /^(?:[0-9]{1,5}(?:h|m|s|ms)){1,4}$/, is: 'a duration such as 10s or 1m30s (GEP-2257)' })

export const annotationValue = text({ max: 4096 })
