import { PlatformError } from '../../../platform/errors.ts';
import type { WrittenLabel, WrittenVocabulary } from '../vocabulary-input.ts';
import { parseJson } from './json.ts';

/*
 * SKOS (https://www.w3.org/TR/skos-reference/) in JSON-LD. What SKOS has no word for is under a prefix of this project's. Reading
 * knows the words by their usual prefix, without one, and in full; it resolves no contexts.
 */

const SKOS = 'http://www.w3.org/2004/02/skos/core#';
const DCTERMS = 'http://purl.org/dc/terms/';
const OWN = 'urn:sharelock:terms#';
const SCHEME = 'urn:sharelock:vocabulary';

export function writeSkos({ name, description, labels }: WrittenVocabulary): string {
  const ids = new Map(labels.map((label, i) => [label.name, `${SCHEME}#${i + 1}`]));
  const scheme = {
    '@id': SCHEME,
    '@type': 'skos:ConceptScheme',
    ...(name === null ? {} : { 'dcterms:title': name }),
    ...(description === null ? {} : { 'dcterms:description': description }),
  };
  const concepts = labels.map((label, i) => conceptOf(label, i, ids));
  const context = { skos: SKOS, dcterms: DCTERMS, sharelock: OWN };
  return `${JSON.stringify({ '@context': context, '@graph': [scheme, ...concepts] }, null, 1)}\n`;
}

function conceptOf(label: WrittenLabel, index: number, ids: ReadonlyMap<string, string>): object {
  const { name, prompts, negativePrompts, examples, threshold, parents } = label;
  return {
    '@id': ids.get(name),
    '@type': 'skos:Concept',
    'skos:inScheme': { '@id': SCHEME },
    'skos:notation': String(index + 1),
    'skos:prefLabel': name,
    ...filled('skos:altLabel', prompts),
    ...filled(
      'skos:broader',
      parents.map((parent) => ({ '@id': ids.get(parent) })),
    ),
    ...filled('sharelock:negativePrompt', negativePrompts),
    ...filled('sharelock:example', examples),
    ...(threshold === null ? {} : { 'sharelock:threshold': threshold }),
  };
}

function filled(key: string, values: readonly unknown[]): object {
  return values.length === 0 ? {} : { [key]: values };
}

/**
 * Concepts become labels: `prefLabel` the name, `altLabel` prompts, `broader` and the `narrower` of others parents. Of several
 * languages English counts, or else the first. Throws `BAD_USER_INPUT` that names the concept.
 */
export function readSkos(content: string): WrittenVocabulary {
  const nodes = nodesOf(parseJson(content));
  const concepts = nodes.filter((node) => hasType(node, 'Concept')).map(toConcept);
  if (concepts.length === 0) {
    throw wrong(
      'There is no skos:Concept in it: they are looked for in its "@graph", or its list.',
    );
  }
  const scheme = nodes.find((node) => hasType(node, 'ConceptScheme'));
  return {
    name: scheme ? schemeName(scheme) : null,
    description: scheme ? (textOf(values(scheme, DCTERMS, 'description')) ?? null) : null,
    labels: withParents(concepts),
  };
}

type Node = Readonly<Record<string, unknown>>;

interface Concept {
  readonly id: string;
  readonly label: WrittenLabel;
  readonly broader: readonly string[];
  readonly narrower: readonly string[];
}

function nodesOf(document: unknown): readonly Node[] {
  const graph = isNode(document) ? (document['@graph'] ?? [document]) : document;
  const nodes = Array.isArray(graph) ? (graph as readonly unknown[]) : [graph];
  return nodes.map((node, i) => {
    if (isNode(node)) return node;
    throw wrong(`Node ${i + 1} is no object: SKOS in JSON-LD is a list of them.`);
  });
}

function toConcept(node: Node, index: number): Concept {
  const id = node['@id'] ?? node['id'];
  const names = values(node, SKOS, 'prefLabel');
  const name = textOf(names);
  const what = typeof id === 'string' ? `"${id.slice(0, 200)}"` : `Concept ${index + 1}`;
  if (name === undefined) throw wrong(`${what} has no skos:prefLabel.`);
  const language = languageOf(names);
  const alternatives = values(node, SKOS, 'altLabel').filter((value) =>
    [null, language].includes(languageOf([value])),
  );
  return {
    id: typeof id === 'string' ? id : `_:${index + 1}`,
    label: {
      name,
      prompts: alternatives.map((value) => literalOf(value, what)),
      negativePrompts: values(node, OWN, 'negativePrompt').map((one) => literalOf(one, what)),
      examples: values(node, OWN, 'example').map((one) => literalOf(one, what)),
      threshold: thresholdOf(node, what),
      parents: [],
    },
    broader: values(node, SKOS, 'broader').map((one) => referenceOf(one, what)),
    narrower: values(node, SKOS, 'narrower').map((one) => referenceOf(one, what)),
  };
}

function withParents(concepts: readonly Concept[]): readonly WrittenLabel[] {
  const names = new Map(concepts.map(({ id, label }) => [id, label.name]));
  const above = new Map(concepts.map(({ id }) => [id, new Set<string>()]));
  for (const { id, broader, label } of concepts) {
    for (const other of broader) above.get(id)?.add(named(names, other, label.name, 'broader'));
  }
  for (const { narrower, label } of concepts) {
    for (const other of narrower) {
      named(names, other, label.name, 'narrower');
      above.get(other)?.add(label.name);
    }
  }
  return concepts.map(({ id, label }) => ({ ...label, parents: [...(above.get(id) ?? [])] }));
}

function named(
  names: ReadonlyMap<string, string>,
  id: string,
  of: string,
  relation: string,
): string {
  const name = names.get(id);
  if (name !== undefined) return name;
  throw wrong(`"${of}" names "${id.slice(0, 200)}" as ${relation}, which is no concept here.`);
}

function thresholdOf(node: Node, what: string): number | null {
  const [given] = values(node, OWN, 'threshold');
  if (given === undefined) return null;
  const value = Number(literalOf(given, what));
  if (!Number.isNaN(value)) return value;
  throw wrong(`${what} has a threshold that is no number.`);
}

function schemeName(scheme: Node): string | null {
  const title = values(scheme, DCTERMS, 'title');
  return textOf(title.length > 0 ? title : values(scheme, SKOS, 'prefLabel')) ?? null;
}

const PREFIXES: Readonly<Record<string, readonly string[]>> = {
  [SKOS]: ['skos:', ''],
  [DCTERMS]: ['dcterms:', 'dct:', ''],
  [OWN]: ['sharelock:'],
};

/** A property's values, however it is spelled; none where it isn't there. Maps of languages become literals. */
function values(node: Node, namespace: string, property: string): readonly unknown[] {
  const key = [namespace, ...(PREFIXES[namespace] ?? [])]
    .map((prefix) => `${prefix}${property}`)
    .find((one) => Object.hasOwn(node, one));
  const value = key === undefined ? null : node[key];
  if (value == null) return [];
  if (Array.isArray(value)) return value as readonly unknown[];
  return isLanguageMap(value) ? literalsOf(value) : [value];
}

function isLanguageMap(value: unknown): value is Node {
  return isNode(value) && !Object.keys(value).some((key) => /^@|^id$/.test(key));
}

function literalsOf(map: Node): readonly unknown[] {
  return Object.entries(map).flatMap(([language, texts]) =>
    (Array.isArray(texts) ? (texts as readonly unknown[]) : [texts]).map((text) => ({
      ...{ '@value': text, '@language': language },
    })),
  );
}

function hasType(node: Node, type: string): boolean {
  const types = [node['@type'] ?? node['type']].flat();
  return types.some((one) => [type, `skos:${type}`, `${SKOS}${type}`].includes(String(one)));
}

/** The English text, else one without a language, else the first. */
function preferred(literals: readonly unknown[]): unknown {
  const inLanguage = (wanted: RegExp) =>
    literals.find((one) => wanted.test(languageOf([one]) ?? ''));
  return inLanguage(/^en\b/i) ?? inLanguage(/^$/) ?? literals[0];
}

function textOf(literals: readonly unknown[]): string | undefined {
  const one = preferred(literals);
  const text = isNode(one) ? one['@value'] : one;
  return typeof text === 'string' ? text : undefined;
}

function languageOf(literals: readonly unknown[]): string | null {
  const one = literals.length > 1 ? preferred(literals) : literals[0];
  const language = isNode(one) ? one['@language'] : null;
  return typeof language === 'string' ? language : null;
}

function literalOf(value: unknown, what: string): string {
  const text = isNode(value) ? value['@value'] : value;
  if (typeof text === 'string' || typeof text === 'number') return String(text);
  throw wrong(`${what} has a label, prompt, example or threshold that is no text.`);
}

function referenceOf(value: unknown, what: string): string {
  const id = isNode(value) ? (value['@id'] ?? value['id']) : value;
  if (typeof id === 'string') return id;
  throw wrong(`${what} has a broader or narrower that names no concept.`);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(message: string): PlatformError {
  return new PlatformError('BAD_USER_INPUT', message);
}
