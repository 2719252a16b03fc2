import { PlatformError } from '../platform/errors.ts';
import type { ImageFilter } from '../store/image-query.ts';
import type { ImageFilter as FilterInput, TagFilter } from './generated/resolvers.ts';

const DEEPEST = 6;
const MOST_PARTS = 20;
const MOST_VALUES = 1000;
const LONGEST_VALUE = 1000;
const MOST_LABELS = 100;

/** A filter of bearable size; absent: the empty one. Throws `BAD_USER_INPUT`. */
export function checkFilter(filter: FilterInput | null | undefined, depth = 1): ImageFilter {
  if (filter === null || filter === undefined) return {};
  if (depth > DEEPEST) throw bad(`A filter nests at most ${DEEPEST} deep.`);
  const { and, or, not, path, metadata } = filter;
  for (const parts of [and, or, metadata]) {
    if ((parts?.length ?? 0) > MOST_PARTS) {
      throw bad(`"and", "or" and "metadata" take at most ${MOST_PARTS} each.`);
    }
  }
  for (const part of [...(and ?? []), ...(or ?? []), ...(not ? [not] : [])]) {
    checkFilter(part, depth + 1);
  }
  const texts = [path?.equals, path?.startsWith, path?.contains, ...(path?.in ?? [])];
  for (const { path: keys, equals } of metadata ?? []) {
    if (keys.length < 1 || keys.length > 8) throw bad('A metadata "path" has 1 to 8 keys.');
    texts.push(...keys, equals === undefined ? null : JSON.stringify(equals));
  }
  if (filter.tags) texts.push(...checkTags(filter.tags));
  if (texts.length > MOST_VALUES) throw bad(`"in" takes at most ${MOST_VALUES} values.`);
  if (texts.some((text) => (text?.length ?? 0) > LONGEST_VALUE || text?.includes('\0') === true)) {
    throw bad(`A filter's text has at most ${LONGEST_VALUE} characters and no NUL.`);
  }
  if (filter.source?.includes('\0') === true) throw bad("A source's name has no NUL.");
  return filter;
}

/** Gives its texts. */
function checkTags({ anyOf, allOf, noneOf, vocabulary, state }: TagFilter): readonly string[] {
  for (const labels of [anyOf, allOf, noneOf]) {
    if ((labels?.length ?? 0) > MOST_LABELS) {
      throw bad(`"anyOf", "allOf" and "noneOf" take at most ${MOST_LABELS} labels each.`);
    }
  }
  if (state === 'REJECTED') {
    throw bad('A rejected tag is none: "state" takes UNREVIEWED or ACCEPTED.');
  }
  return [...(anyOf ?? []), ...(allOf ?? []), ...(noneOf ?? []), vocabulary ?? ''];
}

function bad(message: string): PlatformError {
  return new PlatformError('BAD_USER_INPUT', message);
}
