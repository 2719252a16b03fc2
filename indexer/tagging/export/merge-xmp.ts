import { PlatformError } from '../../../platform/errors.ts';
import { cleanKeyword, partsOf } from '../../ingest/keywords/clean-keywords.ts';
import {
  NAMESPACES,
  readXmpLists,
  type ElementSpan,
  type KeywordList,
  type ListName,
  type XmpLists,
} from '../../ingest/keywords/xmp-lists.ts';

/** What is to be changed of a photo's keywords. */
export interface KeywordChange {
  /** To be in dc:subject. */
  readonly subject: readonly string[];
  /** To be in lr:hierarchicalSubject: `animal|dog`. */
  readonly hierarchicalSubject: readonly string[];
  /** Keywords that must not be there, nor hierarchies with them. */
  readonly without: ReadonlySet<string>;
}

/** Of a part of the text; an insertion has no length. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const NAMES: readonly ListName[] = ['subject', 'hierarchicalSubject'];
const PREFIXES: Readonly<Record<ListName, string>> = { subject: 'dc', hierarchicalSubject: 'lr' };

/**
 * A sidecar with the change made; everything else stays byte for byte. Null: nothing is to be changed. `BAD_USER_INPUT` for one that is no
 * XMP: it isn't ours to repair.
 */
export function mergeXmp(xmp: string, change: KeywordChange): string | null {
  const lists = read(xmp);
  const wanted = NAMES.map((name) => wantedOf(lists, name, change));
  const edits = [...wanted.flatMap((one) => editsOf(xmp, one, change)), ...newLists(lists, wanted)];
  if (edits.length === 0) return null;
  const merged = edits
    .sort((a, b) => b.start - a.start)
    .reduce((text, { start, end, text: by }) => text.slice(0, start) + by + text.slice(end), xmp);
  checkMerged(merged, change);
  return merged;
}

/** A sidecar of its own. */
export function newXmp(change: KeywordChange): string {
  return mergeXmp(EMPTY, change) ?? EMPTY;
}

const EMPTY = `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="${NAMESPACES.rdf}">
  <rdf:Description rdf:about=""/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
`;

function read(xmp: string): XmpLists {
  try {
    return readXmpLists(xmp);
  } catch (cause) {
    throw new PlatformError('BAD_USER_INPUT', 'The sidecar is no XMP.', { cause });
  }
}

interface Wanted {
  readonly name: ListName;
  /** Those there are; several where there are several descriptions. */
  readonly lists: readonly KeywordList[];
  readonly added: readonly string[];
}

function wantedOf({ lists }: XmpLists, name: ListName, change: KeywordChange): Wanted {
  const own = lists.filter((list) => list.name === name);
  const there = new Set(own.flatMap(({ items }) => items.map(({ text }) => cleanKeyword(text))));
  const added = [...new Set(change[name].map(writable))].filter((text) => !there.has(text));
  return { name, lists: own, added };
}

/** Of lists that are there. */
function editsOf(xmp: string, { lists, added }: Wanted, change: KeywordChange): readonly Edit[] {
  const [first] = lists;
  const removals = lists.flatMap((list) => removalsOf(xmp, list, change.without));
  const isAdded = first !== undefined && added.length > 0;
  return isAdded ? [...removals, insertion(xmp, first, added)] : removals;
}

/** Lists that aren't there yet, in one edit: they may open an element that closed itself. */
function newLists({ description }: XmpLists, wanted: readonly Wanted[]): readonly Edit[] {
  const missing = wanted.filter(({ lists, added }) => lists.length === 0 && added.length > 0);
  if (missing.length === 0) return [];
  if (description === null) {
    throw new PlatformError('BAD_USER_INPUT', 'The sidecar has no rdf:Description.');
  }
  return [fill(description, `${missing.map(newList).join('')}\n  `)];
}

function newList({ name, added }: Wanted): string {
  const element = `${PREFIXES[name]}:${name}`;
  const declared = `${element} xmlns:${PREFIXES[name]}="${NAMESPACES[name]}"`;
  return `\n   <${declared}>${bagOf(added)}</${element}>`;
}

function removalsOf(
  xmp: string,
  { name, items }: KeywordList,
  without: ReadonlySet<string>,
): readonly Edit[] {
  return items
    .filter(({ text }) => isUnwanted(name, text, without))
    .map(({ start, end }) => ({ start: start - spaceBefore(xmp, start).length, end, text: '' }));
}

/** Only a hierarchy has parts: in dc:subject `a|b` is one keyword. */
function isUnwanted(name: ListName, text: string, without: ReadonlySet<string>): boolean {
  const keywords = name === 'subject' ? [text] : partsOf(text);
  return keywords.some((keyword) => without.has(cleanKeyword(keyword)));
}

/** Indented as the item before. */
function insertion(
  xmp: string,
  { bag, items, ...list }: KeywordList,
  added: readonly string[],
): Edit {
  const rdf = bag === null ? '' : prefixOf(bag.written);
  const last = items.at(-1);
  if (bag !== null && last !== undefined) {
    const text = itemsOf(added, rdf, spaceBefore(xmp, last.start));
    return { start: last.end, end: last.end, text };
  }
  if (bag !== null) return fill(bag, itemsOf(added, rdf));
  return fill(list, bagOf(added));
}

/** Puts content at the end of an element. */
function fill(
  { start, openEnd, closeStart, end, written, isSelfClosing }: ElementSpan,
  content: string,
): Edit {
  if (!isSelfClosing) return { start: closeStart, end: closeStart, text: content };
  return { start: Math.max(start, openEnd - 2), end, text: `>${content}</${written}>` };
}

/** With a declaration of its own: the file's may use another prefix. */
function bagOf(texts: readonly string[]): string {
  return `<rdf:Bag xmlns:rdf="${NAMESPACES.rdf}">${itemsOf(texts, 'rdf:')}</rdf:Bag>`;
}

function itemsOf(texts: readonly string[], prefix: string, space = ''): string {
  return texts.map((text) => `${space}<${prefix}li>${escape(text)}</${prefix}li>`).join('');
}

function prefixOf(written: string): string {
  return written.slice(0, written.indexOf(':') + 1);
}

function spaceBefore(xmp: string, at: number): string {
  let start = at;
  while (start > 0 && /\s/.test(xmp[start - 1] ?? '')) start--;
  return xmp.slice(start, at);
}

/** Without what XML can't hold. */
function writable(text: string): string {
  return cleanKeyword(text.replace(/[\ufffe\uffff]/g, ''));
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Nothing is written that wouldn't be read so. Throws `BAD_USER_INPUT`. */
function checkMerged(merged: string, change: KeywordChange): void {
  const { lists } = readXmpLists(merged);
  for (const name of NAMES) {
    const items = lists.filter((list) => list.name === name).flatMap((list) => list.items);
    const texts = new Set(items.map(({ text }) => cleanKeyword(text)));
    const isMissing = change[name].some((text) => !texts.has(writable(text)));
    const isLeft = [...texts].some((text) => isUnwanted(name, text, change.without));
    if (isMissing || isLeft) {
      const message = 'The sidecar would lack a keyword, or keep one, if it was changed.';
      throw new PlatformError('BAD_USER_INPUT', message);
    }
  }
}
