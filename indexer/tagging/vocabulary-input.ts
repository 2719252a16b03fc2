import { PlatformError } from '../../platform/errors.ts';
import { KEYWORDS } from '../../store/vocabularies.ts';

/** A label as people and files write it. */
export interface WrittenLabel {
  readonly name: string;
  readonly prompts: readonly string[];
  readonly negativePrompts: readonly string[];
  /** Ids of images, as the API gives them. */
  readonly examples: readonly string[];
  readonly threshold: number | null;
  /** Names of labels beside it. */
  readonly parents: readonly string[];
}

export interface WrittenVocabulary {
  /** Null: none is given. */
  readonly name: string | null;
  readonly description: string | null;
  readonly labels: readonly WrittenLabel[];
}

export const MOST_LABELS = 20_000;
const MOST_NAME = 200;
const MOST_TEXTS = 50;
const MOST_TEXT = 500;
const MOST_EXAMPLES = 100;
/** Of a whole vocabulary. */
const MOST_EXAMPLES_IN_ALL = 10_000;
/** Bounds what a run writes for one tag. The deepest path of WordNet's nouns has 19. */
const MOST_ABOVE = 100;
const MOST_DESCRIPTION = 2000;

/** Names in one form: composed, without white space around it, each white space within it one space. */
function normalizeName(name: string): string {
  return name.normalize('NFC').replace(/\s+/gu, ' ').trim();
}

/** Two names that differ in nothing else are the same to people. */
function foldName(name: string): string {
  return normalizeName(name).toLowerCase();
}

/** The name of a vocabulary in its one form. Throws `BAD_USER_INPUT`, and `CONFLICT` for the open one's. */
export function checkVocabularyName(name: string): string {
  const normal = name.normalize('NFC');
  if (!/^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._-]{0,99}$/u.test(normal)) {
    throw wrong(
      'A vocabulary is named with 1 to 100 letters, digits, spaces, dots, dashes or underscores, a letter or digit first.',
    );
  }
  if (foldName(normal) !== KEYWORDS) return normal;
  const message = `"${KEYWORDS}" takes labels as they are used; name this vocabulary otherwise.`;
  throw new PlatformError('CONFLICT', message);
}

export function checkDescription(description: string | null): string | null {
  if (description === null) return null;
  const length = lengthOf(description);
  if (length > MOST_DESCRIPTION) {
    throw wrong(`A description has at most 2,000 characters, not ${length}.`);
  }
  return checkCharacters(description, 'The description', /[\p{Cs}\0]/u);
}

/** A label's name in its one form. `what` begins the message of a refusal. */
function checkLabelName(name: string, what = 'The label'): string {
  checkLength(name, MOST_NAME, what);
  const normal = normalizeName(name);
  if (!/[\p{L}\p{N}\p{P}\p{S}]/u.test(normal)) throw wrong(`${what} has no name.`);
  const length = lengthOf(normal);
  if (length > MOST_NAME) {
    throw wrong(`${what} has a name of ${length} characters; it may have ${MOST_NAME}.`);
  }
  return checkCharacters(normal, `${what}'s name`);
}

/**
 * Labels as they may be stored: names and texts in one form, parents by the names that the labels have. Throws `BAD_USER_INPUT`
 * that names the label.
 */
export function checkLabels(labels: readonly WrittenLabel[]): readonly WrittenLabel[] {
  checkLabelCount(labels.length);
  const named = labels.map((label, i) => {
    return { ...label, name: checkLabelName(label.name, nameless(label, i)) };
  });
  const examples = labels.reduce((sum, label) => sum + label.examples.length, 0);
  if (examples > MOST_EXAMPLES_IN_ALL) {
    throw wrong(`A vocabulary has at most 10,000 examples in all, not ${examples}.`);
  }
  const names = distinctNames(named);
  const checked = named.map((label, i) => checkLabel(label, nameOf(label, i), names));
  checkHierarchy(checked);
  return checked;
}

/** Formats ask before they look at each: a hostile file has millions. */
export function checkLabelCount(count: number): void {
  if (count >= 1 && count <= MOST_LABELS) return;
  throw wrong(`A vocabulary has 1 to 20,000 labels, not ${count.toLocaleString('en')}.`);
}

/** `Label 3 ("dog")`. */
function nameOf({ name }: Pick<WrittenLabel, 'name'>, index: number): string {
  return `Label ${index + 1} ("${shorten(name)}")`;
}

function nameless(label: WrittenLabel, index: number): string {
  return label.name.trim() === '' ? `Label ${index + 1}` : nameOf(label, index);
}

function shorten(text: string): string {
  const characters = Array.from(text.slice(0, 200));
  return characters.length <= 60 && text.length <= 200
    ? text
    : `${characters.slice(0, 60).join('')}…`;
}

/** The labels' names by their folded form. */
function distinctNames(labels: readonly WrittenLabel[]): ReadonlyMap<string, string> {
  const names = new Map<string, { readonly name: string; readonly index: number }>();
  labels.forEach(({ name }, index) => {
    const key = foldName(name);
    const before = names.get(key);
    if (before !== undefined) {
      const pair = `Labels ${before.index + 1} ("${shorten(before.name)}") and ${index + 1} ("${shorten(name)}")`;
      throw wrong(`${pair} have the same name. Each name may be there once, whatever its case.`);
    }
    names.set(key, { name, index });
  });
  return new Map([...names].map(([key, { name }]) => [key, name]));
}

function checkLabel(
  label: WrittenLabel,
  what: string,
  names: ReadonlyMap<string, string>,
): WrittenLabel {
  const { name, examples, threshold } = label;
  if (threshold !== null && !(threshold >= 0 && threshold <= 1)) {
    throw wrong(`${what} has the threshold ${threshold}; it is 0 to 1.`);
  }
  if (examples.length > MOST_EXAMPLES) {
    throw wrong(`${what} has ${examples.length} examples; it may have ${MOST_EXAMPLES}.`);
  }
  return {
    ...{ name, examples: [...new Set(examples)], threshold },
    prompts: checkTexts(label.prompts, what, 'prompt'),
    negativePrompts: checkTexts(label.negativePrompts, what, 'negative prompt'),
    parents: checkParents(label, what, names),
  };
}

function checkTexts(texts: readonly string[], what: string, kind: string): readonly string[] {
  if (texts.length > MOST_TEXTS) {
    throw wrong(`${what} has ${texts.length} ${kind}s; it may have ${MOST_TEXTS}.`);
  }
  return texts.map((text, i) => {
    checkLength(text, MOST_TEXT, what);
    const normal = normalizeName(text);
    const which = `${what}, ${kind} ${i + 1},`;
    if (!/[\p{L}\p{N}\p{P}\p{S}]/u.test(normal)) throw wrong(`${which} is empty.`);
    const length = lengthOf(normal);
    if (length > MOST_TEXT) {
      throw wrong(`${which} has ${length} characters; it may have ${MOST_TEXT}.`);
    }
    return checkCharacters(normal, which);
  });
}

function checkParents(
  { name, parents }: WrittenLabel,
  what: string,
  names: ReadonlyMap<string, string>,
): readonly string[] {
  if (parents.length > MOST_ABOVE) {
    throw wrong(`${what} has ${parents.length} parents; it may have ${MOST_ABOVE}.`);
  }
  const found = parents.map((parent) => {
    const there = names.get(foldName(parent));
    if (there === undefined) {
      throw wrong(`${what} has the parent "${shorten(parent)}", which is no label here: add it.`);
    }
    if (there === name) throw wrong(`${what} is its own parent.`);
    return there;
  });
  return [...new Set(found)];
}

/** Throws when a label is above itself, naming the way round, or has too many above it. */
function checkHierarchy(labels: readonly WrittenLabel[]): void {
  const parents = new Map(labels.map((label) => [label.name, label.parents]));
  const above = new Map<string, ReadonlySet<string>>();
  for (const { name } of labels) {
    const path = [name];
    for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
      const next = (parents.get(last) ?? []).find((parent) => !above.has(parent));
      if (next === undefined) {
        above.set(last, unionAbove(last, parents.get(last) ?? [], above));
        path.pop();
      } else {
        if (path.includes(next)) throw circle([...path.slice(path.indexOf(next)), next]);
        path.push(next);
        if (path.length > MOST_ABOVE + 1) throw tooMany(name);
      }
    }
  }
}

function unionAbove(
  name: string,
  parents: readonly string[],
  above: ReadonlyMap<string, ReadonlySet<string>>,
): ReadonlySet<string> {
  const all = new Set(parents);
  for (const parent of parents) {
    for (const one of above.get(parent) ?? []) all.add(one);
    if (all.size > MOST_ABOVE) throw tooMany(name);
  }
  return all;
}

function circle(path: readonly string[]): PlatformError {
  const way = path.map((name) => `"${shorten(name)}"`);
  const shown = way.length <= 12 ? way : [...way.slice(0, 6), '…', ...way.slice(-5)];
  return wrong(`A label can't be above itself: ${shown.join(' has the parent ')}.`);
}

function tooMany(name: string): PlatformError {
  return wrong(`"${shorten(name)}" has more than ${MOST_ABOVE} labels above it.`);
}

/** What no name or prompt has: control characters, which also a database refuses, and halves of characters. */
function checkCharacters(text: string, what: string, refused = /[\p{Cc}\p{Cs}]/u): string {
  const found = refused.exec(text)?.[0];
  if (found === undefined) return text;
  const code = (found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  throw wrong(`${what} holds the character U+${code}, which is none to write with.`);
}

/** What is far too long isn't looked at: bringing megabytes into one form takes seconds. */
function checkLength(text: string, most: number, what: string): void {
  if (text.length <= 100 * most) return;
  throw wrong(`${what} has a text of ${text.length} characters; it may have ${most}.`);
}

/** In characters as people count most of them: an emoji is one, not two. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}

function wrong(message: string): PlatformError {
  return new PlatformError('BAD_USER_INPUT', message);
}
