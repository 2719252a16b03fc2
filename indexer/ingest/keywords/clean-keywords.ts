/** Of one image; more are left out. */
const MAX_KEYWORDS = 500;
const MAX_CHARACTERS = 200;

/** Parts a hierarchy is written with: `animal|dog|poodle`. */
const SEPARATOR = '|';

/** Labels as vocabularies have them, each once, in their order; what can't be one is left out. */
export function cleanKeywords(texts: Iterable<string>): readonly string[] {
  const found = new Set<string>();
  for (const text of texts) {
    const name = cleanKeyword(text);
    if (name !== '' && name.length <= MAX_CHARACTERS) found.add(name);
    if (found.size === MAX_KEYWORDS) break;
  }
  return [...found];
}

/** On one line, composed; emoji keep their joiners. */
export function cleanKeyword(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cs}\p{Z}\ufffd]+/gu, ' ')
    .trim()
    .normalize('NFC');
}

/** `animal|dog|poodle` has a poodle, a dog and an animal in it. */
export function partsOf(hierarchical: string): readonly string[] {
  return hierarchical.split(SEPARATOR);
}

export function joinParts(parts: readonly string[]): string {
  return parts.join(SEPARATOR);
}
