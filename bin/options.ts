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
