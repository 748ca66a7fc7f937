/** The tree of statuses for a person: what is fine in one line each, what is not with the first line of why. */
import { columns } from './columns.ts'
import type { TreeNode } from './status-tree.ts'
import type { Style } from './style.ts'

interface Line {
  readonly cells: readonly string[]
  readonly below: string
}

export function statusReport(tree: readonly TreeNode[], style: Style): string {
  const lines = tree.flatMap((node) => linesOf(node, '', '', style))
  const rows = columns(lines.map(({ cells }) => cells))
  const text = rows.flatMap((row, i) => {
    const below = lines[i]?.below ?? ''
    return below === '' ? [row] : [row, below]
  })
  return `${[...text, '', summary(tree, style)].join('\n')}\n`
}

/** @param first what stands before the node's own line, and `rest` before all lines beneath it */
function linesOf(node: TreeNode, first: string, rest: string, style: Style): Line[] {
  const { kind, namespace, name, detail, isGood, state, message, children } = node
  const title = `${first}${kind} ${style.bold(namespace === '' ? name : `${namespace}/${name}`)}`
  const why = message.split('\n')[0] ?? ''
  const branch = children.length > 0 ? '│ ' : '  '
  return [
    {
      cells: [title, detail, isGood ? style.green(state) : style.red(state)],
      below: isGood || why === '' ? '' : `${rest}${branch}  ${style.dim(why)}`,
    },
    ...children.flatMap((child, i) => {
      const isLast = i === children.length - 1
      return linesOf(child, `${rest}${isLast ? '└─ ' : '├─ '}`, `${rest}${isLast ? '   ' : '│  '}`, style)
    }),
  ]
}

function summary(tree: readonly TreeNode[], style: Style): string {
  if (tree.length === 0) return 'no GatewayClass, Gateway or route'
  const bad = countBad(tree)
  return bad === 0 ? style.green('all is well') : style.red(`${bad} ${bad === 1 ? 'is' : 'are'} not as they should be`)
}

export function countBad(tree: readonly TreeNode[]): number {
  return tree.reduce((sum, { isGood, children }) => sum + Number(!isGood) + countBad(children), 0)
}
