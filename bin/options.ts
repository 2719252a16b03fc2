import { InvalidArgumentError } from 'commander';

/** Leaves room for what is added to seeds. */
const LARGEST = 1_000_000_000;

/** Parses an option's whole number from 1 to a thousand million. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > LARGEST) {
    throw new InvalidArgumentError('It must be a whole number from 1.');
  }
  return value;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Parses an option's time (`90`, `90s`, `15m`, `2h`, `1d`) into seconds. */
export function duration(text: string): number {
  const [, digits, unit = 's'] = /^(\d{1,9})([smhd])?$/.exec(text.trim()) ?? [];
  const factor = UNIT_SECONDS[unit];
  if (digits !== undefined && factor !== undefined) return Number(digits) * factor;
  throw new InvalidArgumentError('It must be a time like 90, 90s, 15m, 2h or 1d.');
}
