/**
 * HPACK's Huffman code (RFC 7541, section 5.2 and appendix B), read half a byte at a time: no code is shorter than five bits,
 * so that half a byte ends at most one symbol, and one table of 16 steps for each node of the tree says all.
 */

/** Bits of the code of each byte, and of EOS. The codes follow: shorter ones first, then smaller symbols. */
// prettier-ignore
const lengths: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
]

const endOfString = 256
const nodes = 256
/** A step: the node that it leads to, and what ended on the way. */
const emits = 0x100
const fails = 0x20000
const symbolShift = 9

const steps: Int32Array = stepsOf(treeOf(lengths))
/** Nodes at which a string may end: on the way to EOS, less than a byte from the root. */
const mayEnd: Uint8Array = endsOf(treeOf(lengths))

let scratch: Buffer = Buffer.allocUnsafeSlow(4 * 1024)

/** bytes[from, to) as a byte string; undefined when it is none. */
export function huffmanText(bytes: Buffer, from: number, to: number): string | undefined {
  // No code is shorter than five bits.
  const most = Math.ceil(((to - from) * 8) / 5)
  if (most > scratch.length) scratch = Buffer.allocUnsafeSlow(most)
  let length = 0
  let node = 0
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number
    let step = steps[node * 16 + (byte >>> 4)] as number
    if ((step & emits) !== 0) scratch[length++] = (step >>> symbolShift) & 0xff
    const failed = step & fails
    step = steps[(step & 0xff) * 16 + (byte & 15)] as number
    if ((step & emits) !== 0) scratch[length++] = (step >>> symbolShift) & 0xff
    if (((step | failed) & fails) !== 0) return undefined
    node = step & 0xff
  }
  return mayEnd[node] === 1 ? scratch.toString('latin1', 0, length) : undefined
}

/** Two children for each inner node: another one, or ~symbol. */
function treeOf(bits: readonly number[]): Int32Array {
  const tree = new Int32Array(2 * nodes)
  const order = bits.map((_, symbol) => symbol).sort((a, b) => (bits[a] as number) - (bits[b] as number) || a - b)
  let made = 1
  let code = 0
  let before = 0
  for (const symbol of order) {
    const length = bits[symbol] as number
    code *= 2 ** (length - before)
    before = length
    let node = 0
    for (let bit = length - 1; bit > 0; bit--) {
      const place = 2 * node + (Math.floor(code / 2 ** bit) % 2)
      if (tree[place] === 0) tree[place] = made++
      node = tree[place] as number
    }
    tree[2 * node + (code % 2)] = ~symbol
    code += 1
  }
  return tree
}

function stepsOf(tree: Int32Array): Int32Array {
  const table = new Int32Array(16 * nodes)
  for (let node = 0; node < nodes; node++) {
    for (let half = 0; half < 16; half++) table[node * 16 + half] = stepOf(tree, node, half)
  }
  return table
}

function stepOf(tree: Int32Array, from: number, half: number): number {
  let node = from
  let step = 0
  for (let bit = 3; bit >= 0; bit--) {
    const next = tree[2 * node + ((half >>> bit) & 1)] as number
    if (next === ~endOfString) return fails
    if (next < 0) step = emits | (~next << symbolShift)
    node = next < 0 ? 0 : next
  }
  return step | node
}

function endsOf(tree: Int32Array): Uint8Array {
  const ends = new Uint8Array(nodes)
  let node = 0
  for (let bits = 0; bits < 8; bits++) {
    ends[node] = 1
    node = tree[2 * node + 1] as number
  }
  return ends
}
