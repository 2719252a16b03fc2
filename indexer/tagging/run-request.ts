import { z } from 'zod';
import { PlatformError } from '../../platform/errors.ts';
import type { ImageFilter } from '../../store/image-query.ts';
import type { ChoiceOptions } from './label-rules.ts';
import type { RunOptions } from './prepare-run.ts';

const MOST_TAGS_AN_IMAGE = 100;
const DEFAULT_OPTIONS = {
  ...{ maxTagsPerImage: 5, minTagsPerImage: 0, minProbability: 0.5 },
} as const satisfies ChoiceOptions;

/** Options within their limits; absent ones are the defaults. Throws `BAD_USER_INPUT`. */
export function checkOptions(given: {
  readonly [Name in keyof ChoiceOptions]?: number | null | undefined;
}): ChoiceOptions {
  const maxTagsPerImage = given.maxTagsPerImage ?? DEFAULT_OPTIONS.maxTagsPerImage;
  const minTagsPerImage = given.minTagsPerImage ?? DEFAULT_OPTIONS.minTagsPerImage;
  const minProbability = given.minProbability ?? DEFAULT_OPTIONS.minProbability;
  if (!isWhole(maxTagsPerImage, 1, MOST_TAGS_AN_IMAGE)) {
    throw bad(`"maxTagsPerImage" is a whole number from 1 to ${MOST_TAGS_AN_IMAGE}.`);
  }
  if (!isWhole(minTagsPerImage, 0, maxTagsPerImage)) {
    throw bad(
      `"minTagsPerImage" is a whole number from 0 to "maxTagsPerImage" (${maxTagsPerImage}).`,
    );
  }
  if (!(minProbability >= 0 && minProbability <= 1)) {
    throw bad('"minProbability" is a number from 0 to 1.');
  }
  return { maxTagsPerImage, minTagsPerImage, minProbability };
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function bad(message: string): PlatformError {
  return new PlatformError('BAD_USER_INPUT', message);
}

/** What a job's input and a run's row remember: JSON, in which times are text. */
export const storedOptions = z.object({
  filter: z.unknown(),
  maxTagsPerImage: z.int().min(1).max(MOST_TAGS_AN_IMAGE),
  minTagsPerImage: z.int().min(0).max(MOST_TAGS_AN_IMAGE),
  minProbability: z.number().min(0).max(1),
});

/** Options out of JSON. */
export function readOptions(stored: unknown): RunOptions {
  const { filter, ...options } = storedOptions.parse(stored);
  return { ...options, filter: reviveFilter(filter) };
}

/** A filter out of JSON, which our own checks let through before. */
function reviveFilter(stored: unknown): ImageFilter {
  if (typeof stored !== 'object' || stored === null) return {};
  const filter = stored as ImageFilter;
  return {
    ...filter,
    ...(filter.and ? { and: filter.and.map(reviveFilter) } : {}),
    ...(filter.or ? { or: filter.or.map(reviveFilter) } : {}),
    ...(filter.not ? { not: reviveFilter(filter.not) } : {}),
    ...(filter.takenAt ? { takenAt: reviveDates(filter.takenAt) } : {}),
    ...(filter.addedAt ? { addedAt: reviveDates(filter.addedAt) } : {}),
  };
}

interface Dates {
  readonly from?: Date | null | undefined;
  readonly before?: Date | null | undefined;
}

function reviveDates({ from, before }: Dates): Dates {
  const revive = (date: Date | null | undefined): Date | null => (date ? new Date(date) : null);
  return { from: revive(from), before: revive(before) };
}
