import { SaxesParser, type SaxesTagNS } from 'saxes';

/** A well-formed text's places are counted in UTF-16 units, as `slice` counts. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type ListName = 'subject' | 'hierarchicalSubject';

/** An element. */
export interface ElementSpan extends Span {
  /** As it is written: `rdf:Bag`. */
  readonly written: string;
  /** Where its start tag ends. */
  readonly openEnd: number;
  /** Where its end tag begins; of one that closes itself, where it begins. */
  readonly closeStart: number;
  readonly isSelfClosing: boolean;
}

export interface KeywordItem extends Span {
  readonly text: string;
}

/** A property of keywords in an XMP packet. */
export interface KeywordList extends ElementSpan {
  readonly name: ListName;
  readonly items: readonly KeywordItem[];
  /** The `rdf:Bag` around the items; null: there is none. */
  readonly bag: ElementSpan | null;
}

/** What a packet has of keywords, and where others may be put. */
export interface XmpLists {
  readonly lists: readonly KeywordList[];
  /** Of the first `rdf:Description`; null: there is none. */
  readonly description: ElementSpan | null;
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
    const end = parser.position;
    reader.close(tag, { closeStart: xml.lastIndexOf('<', end - 1), end });
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
  description: ElementSpan | null = null;
  readonly #open: Open[] = [];
  #start = 0;
  #list: ListName | null = null;
  #items: KeywordItem[] = [];
  #bag: ElementSpan | null = null;
  /** Text of the `rdf:li` that is open; null: none is. */
  #item: string | null = null;

  start(at: number): void {
    this.#start = at;
  }

  open(tag: SaxesTagNS, openEnd: number): void {
    if (this.#open.length === DEEPEST) throw new Error(`A packet nests at most ${DEEPEST} deep.`);
    const list = this.#isInDescription() ? listOf(tag) : null;
    this.#open.push({ tag, start: this.#start, openEnd });
    if (list !== null) {
      this.#list = list;
      this.#items = [];
      this.#bag = null;
    } else if (this.#list !== null && isRdf(tag, 'li')) this.#item = '';
  }

  text(text: string): void {
    if (this.#item !== null) this.#item += text;
  }

  close(tag: SaxesTagNS, { closeStart, end }: { closeStart: number; end: number }): void {
    const opened = this.#open.pop();
    if (opened === undefined) return;
    const { start, openEnd } = opened;
    const { name: written, isSelfClosing } = tag;
    const span = { start, openEnd, closeStart, end, written, isSelfClosing };
    if (this.#list !== null && this.#isInDescription()) {
      const { lists } = this;
      lists.push({ ...span, name: this.#list, items: this.#items, bag: this.#bag });
      this.#list = null;
    } else if (this.#list !== null) this.#closeWithin(tag, span);
    else if (isRdf(tag, 'Description') && this.#isIn('RDF')) this.description ??= span;
  }

  #closeWithin(tag: SaxesTagNS, span: ElementSpan): void {
    if (this.#item !== null && isRdf(tag, 'li')) {
      this.#items.push({ text: this.#item, start: span.start, end: span.end });
      this.#item = null;
    } else if (CONTAINERS.some((name) => isRdf(tag, name))) this.#bag = span;
  }

  /** One of the photo itself: within properties there are others, of files it was made from. */
  #isInDescription(): boolean {
    return this.#isIn('Description') && this.#isIn('RDF', -2);
  }

  #isIn(name: string, at = -1): boolean {
    const parent = this.#open.at(at)?.tag;
    return parent !== undefined && isRdf(parent, name);
  }
}

const CONTAINERS = ['Bag', 'Seq', 'Alt'];

function isRdf({ uri, local }: SaxesTagNS, name: string): boolean {
  return uri === NAMESPACES.rdf && local === name;
}

function listOf({ uri, local }: SaxesTagNS): ListName | null {
  if (local === 'subject' && uri === NAMESPACES.subject) return local;
  if (local === 'hierarchicalSubject' && uri === NAMESPACES.hierarchicalSubject) return local;
  return null;
}
