import { SaxesParser, type SaxesTagNS } from 'saxes';

/** A well-formed text's places are counted in UTF-16 units, as `slice` counts. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A property of keywords in an XMP packet. */
export interface KeywordList extends Span {
  readonly name: ListName;
  readonly items: readonly string[];
}

export type ListName = 'subject' | 'hierarchicalSubject';

/** What a packet has of keywords, and where others may be put. */
export interface XmpLists {
  readonly lists: readonly KeywordList[];
  /** Of the first `rdf:Description`; null: there is none. */
  readonly description: DescriptionSpan | null;
}

export interface DescriptionSpan extends Span {
  /** Where its start tag ends. */
  readonly openEnd: number;
  readonly isSelfClosing: boolean;
  /** As it is written: `rdf:Description`. */
  readonly name: string;
  /** As the file writes the namespace: `rdf`. */
  readonly rdfPrefix: string;
}

export const NAMESPACES = {
  rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  subject: 'http://purl.org/dc/elements/1.1/',
  hierarchicalSubject: 'http://ns.adobe.com/lightroom/1.0/',
} as const;

/** Strangers' packets are small; a keyword program writes some kilobytes. */
export const MAX_XMP_BYTES = 262_144;
const DEEPEST = 100;

/** Throws when it is no well-formed XML, or has a document type: there is nothing in one that a packet needs. */
export function readXmpLists(xml: string): XmpLists {
  const reader = new ListReader();
  const parser = new SaxesParser({ xmlns: true, position: true });
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('doctype', () => {
    throw new Error('A packet has no document type.');
  });
  parser.on('opentagstart', () => {
    reader.start(xml.lastIndexOf('<', parser.position - 1));
  });
  parser.on('opentag', (tag) => {
    reader.open(tag, parser.position);
  });
  const addText = (text: string): void => {
    reader.text(text);
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('closetag', (tag) => {
    reader.close(tag, parser.position);
  });
  parser.write(xml).close();
  return { lists: reader.lists, description: reader.description };
}

interface Open {
  readonly tag: SaxesTagNS;
  readonly start: number;
  readonly openEnd: number;
}

/** Follows the elements of a packet. */
class ListReader {
  readonly lists: KeywordList[] = [];
  description: DescriptionSpan | null = null;
  readonly #open: Open[] = [];
  #start = 0;
  #list: ListName | null = null;
  #items: string[] = [];
  /** Text of the `rdf:li` that is open; null: none is. */
  #item: string | null = null;

  start(at: number): void {
    this.#start = at;
  }

  open(tag: SaxesTagNS, openEnd: number): void {
    if (this.#open.length === DEEPEST) throw new Error(`A packet nests at most ${DEEPEST} deep.`);
    const parent = this.#open.at(-1)?.tag;
    this.#open.push({ tag, start: this.#start, openEnd });
    const list = parent && isRdf(parent, 'Description') ? listOf(tag) : null;
    if (list !== null) {
      this.#list = list;
      this.#items = [];
    } else if (this.#list !== null && isRdf(tag, 'li')) this.#item = '';
  }

  text(text: string): void {
    if (this.#item !== null) this.#item += text;
  }

  close(tag: SaxesTagNS, end: number): void {
    const opened = this.#open.pop();
    if (opened === undefined) return;
    const { start, openEnd } = opened;
    const parent = this.#open.at(-1)?.tag;
    if (this.#item !== null && isRdf(tag, 'li')) {
      this.#items.push(this.#item);
      this.#item = null;
    } else if (this.#list !== null && parent && isRdf(parent, 'Description')) {
      this.lists.push({ name: this.#list, items: this.#items, start, end });
      this.#list = null;
    } else if (isRdf(tag, 'Description') && parent && isRdf(parent, 'RDF')) {
      const { name, prefix: rdfPrefix, isSelfClosing } = tag;
      this.description ??= { start, openEnd, end, name, rdfPrefix, isSelfClosing };
    }
  }
}

function isRdf({ uri, local }: SaxesTagNS, name: string): boolean {
  return uri === NAMESPACES.rdf && local === name;
}

function listOf({ uri, local }: SaxesTagNS): ListName | null {
  if (local === 'subject' && uri === NAMESPACES.subject) return local;
  if (local === 'hierarchicalSubject' && uri === NAMESPACES.hierarchicalSubject) return local;
  return null;
}
