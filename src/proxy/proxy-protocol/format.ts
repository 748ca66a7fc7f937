/** What both versions of the header are made of; names are those of HAProxy's specification, sections 2.1 and 2.2. */

/** A header of version 1 begins with it. */
export const word: Buffer = Buffer.from('PROXY ', 'latin1')
/** With its CRLF. */
export const longestLine = 107

/** A header of version 2 begins with it. */
export const signature: Buffer = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
/** Signature, version and command, family and transport, length of what follows. */
export const fixedPart = 16

/** Version 2 and a command. */
export const localCommand = 0x20
export const proxyCommand = 0x21

/** Family and transport. */
export const unspecified = 0x00
export const tcpOverIpv4 = 0x11
export const tcpOverIpv6 = 0x21
/** Families in use are below it, and so are transports. */
export const familiesEnd = 4
export const transportsEnd = 3

/** Bytes of two addresses and two ports. */
export const ipv4Ends = 12
export const ipv6Ends = 36
