import { PlatformError } from '../platform/errors.ts';

/** How a source is kept up with, besides the scans that somebody asks for. */
export interface SourceSchedule {
  /** 60 to 31,536,000; null: never. A scan adds a row a file to the ledger, so minutes suit hundreds of files. */
  readonly rescanEverySeconds: number | null;
  /** Whether a change in the folder starts a scan. */
  readonly watches: boolean;
  /**
   * How long a file must have been left alone before such a scan reads it, 0 to 3,600. Default 5. Longer: fewer files
   * that are still being copied; shorter: found sooner.
   */
  readonly settleSeconds: number;
  /** Whether such a scan removes images whose files are gone. */
  readonly prunes: boolean;
}

/** Seconds, both ends included. */
const RANGES = { rescanEverySeconds: [60, 31_536_000], settleSeconds: [0, 3600] } as const;

/** Throws `BAD_USER_INPUT`. */
export function checkSchedule({
  rescanEverySeconds,
  settleSeconds,
}: Partial<SourceSchedule>): void {
  checkRescanInterval(rescanEverySeconds);
  checkSettleTime(settleSeconds);
}

/** Throws `BAD_USER_INPUT`. */
export function checkRescanInterval(seconds: number | null | undefined): void {
  checkRange('Rescans take place every', 'rescanEverySeconds', seconds);
}

/** Throws `BAD_USER_INPUT`. */
export function checkSettleTime(seconds: number | null | undefined): void {
  checkRange('Files settle for', 'settleSeconds', seconds);
}

function checkRange(
  what: string,
  name: keyof typeof RANGES,
  seconds: number | null | undefined,
): void {
  if (seconds === null || seconds === undefined) return;
  const [least, most] = RANGES[name];
  if (Number.isInteger(seconds) && seconds >= least && seconds <= most) return;
  throw new PlatformError('BAD_USER_INPUT', `${what} ${least} to ${most} whole seconds.`);
}
