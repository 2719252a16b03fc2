import { pino, type Logger } from 'pino';

export type { Logger };

export interface LoggerOptions {
  /** Least level that is written. */
  readonly level?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

/** Structured log lines on stderr, so that stdout stays free for a command's answer. */
export function createLogger({ level = 'info' }: LoggerOptions = {}): Logger {
  return pino({ level, base: null }, pino.destination({ dest: 2, sync: true }));
}
