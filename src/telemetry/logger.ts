/**
 * telemetry: what the process says about itself: log, metrics, access log.
 *
 * Nothing here knows the gateway's objects. Others hand in plain fields, numbers and records; this folder gives them
 * names and a format, and never blocks or throws into the one who reports. Nobody else imports pino or prom-client.
 * This file is the log: few lines, for operators, on standard error.
 */
import { pino } from 'pino'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

export type LogFields = Readonly<Record<string, unknown>>

export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

export interface LoggerOptions {
  readonly level: LogLevel
  readonly format: 'text' | 'json'
  /** Takes whole lines with their line end. */
  readonly write: (line: string) => void
}

export function createLogger(options: LoggerOptions): Logger {
  const { format, write } = options
  const log = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'message',
      errorKey: 'error',
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: format === 'json' ? write : (line) => write(asText(line)) },
  )
  return {
    debug: (message, fields) => log.debug(fields ?? {}, message),
    info: (message, fields) => log.info(fields ?? {}, message),
    warn: (message, fields) => log.warn(fields ?? {}, message),
    error: (message, fields) => log.error(fields ?? {}, message),
  }
}

export const silentLogger: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** `2026-01-02T03:04:05.678Z warn  message key=value`: one line, whatever the values hold. */
function asText(line: string): string {
  const { time, level, message, ...fields } = JSON.parse(line) as Record<string, unknown>
  const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${plain(value)}`)
  return `${String(time)} ${String(level).padEnd(5)} ${String(message)}${pairs.join('')}\n`
}

/** Values that would blur the line are quoted as JSON strings. */
function plain(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /^[\x21\x23-\x7e]+$/.test(text) || typeof value !== 'string' ? text : JSON.stringify(text)
}
