/** What was measured beside what it should be. */

export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** Absent: for information. */
  readonly most?: number
}

export function isMet({ value, most }: Figure): boolean {
  return most === undefined || value <= most
}

export function figureLine(figure: Figure): string {
  const { name, value, unit, most } = figure
  const target = most === undefined ? '' : `  (target <= ${most} ${unit}): ${isMet(figure) ? 'met' : 'MISSED'}`
  return `  ${name.padEnd(70)} ${shown(value).padStart(8)} ${unit}${target}`
}

function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 1)
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** @param share 0.99 for the value that 99 of 100 are not above */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
