import type { LabelInput } from '../generated/operations.ts';

/** A vocabulary as it is being edited: read from its JSON export, sent as a whole as the next version. */

export interface DraftLabel {
  /** Stays while the name is edited. */
  readonly key: string;
  readonly name: string;
  readonly prompts: readonly string[];
  readonly negativePrompts: readonly string[];
  /** Ids of images. */
  readonly examples: readonly string[];
  readonly threshold: number | null;
  /** Names of labels. */
  readonly parents: readonly string[];
}

export interface Draft {
  readonly description: string;
  readonly labels: readonly DraftLabel[];
}

export const EMPTY_DRAFT: Draft = { description: '', labels: [] };

let lastKey = 0;

export function newLabel(name: string): DraftLabel {
  const lists = { prompts: [], negativePrompts: [], examples: [], parents: [] };
  return { key: String(++lastKey), name, ...lists, threshold: null };
}

/** Reads what the API exported; what is missing is empty. */
export function parseDraft(json: string): Draft {
  const { description, labels } = asObject(JSON.parse(json));
  return {
    description: typeof description === 'string' ? description : '',
    labels: Array.isArray(labels) ? labels.map(asObject).map(parseLabel) : [],
  };
}

function parseLabel(label: Readonly<Record<string, unknown>>): DraftLabel {
  const threshold = label['threshold'];
  return {
    ...newLabel(String(label['name'])),
    prompts: texts(label['prompts']),
    negativePrompts: texts(label['negativePrompts']),
    examples: texts(label['examples']),
    threshold: typeof threshold === 'number' ? threshold : null,
    parents: texts(label['parents']),
  };
}

export function labelInput(label: DraftLabel): LabelInput {
  const { prompts, negativePrompts, examples, threshold, parents } = label;
  return { name: label.name.trim(), prompts, negativePrompts, examples, threshold, parents };
}

/** Puts a label in the place of the one of its key; whoever was below it stays so when its name changes. */
export function replaceLabel(draft: Draft, label: DraftLabel): Draft {
  const before = draft.labels.find(({ key }) => key === label.key)?.name ?? label.name;
  const rename = (name: string): string => (name === before ? label.name : name);
  const labels = draft.labels.map((it) => {
    if (it.key === label.key) return label;
    return it.parents.includes(before) ? { ...it, parents: it.parents.map(rename) } : it;
  });
  return { ...draft, labels };
}

export function removeLabel(draft: Draft, { key, name }: DraftLabel): Draft {
  const labels = draft.labels
    .filter((it) => it.key !== key)
    .map((it) =>
      it.parents.includes(name)
        ? { ...it, parents: it.parents.filter((parent) => parent !== name) }
        : it,
    );
  return { ...draft, labels };
}

export interface DraftChanges {
  readonly added: readonly DraftLabel[];
  readonly changed: readonly DraftLabel[];
  readonly removed: readonly DraftLabel[];
  readonly isDescribedAnew: boolean;
}

/** What was done to `base`. A renamed label is one that went and one that came, as it is for the API. */
export function changesOf(base: Draft, draft: Draft): DraftChanges {
  const before = byName(base);
  const after = byName(draft);
  return {
    added: draft.labels.filter(({ name }) => !before.has(name.trim())),
    changed: draft.labels.filter((label) => {
      const old = before.get(label.name.trim());
      return old !== undefined && !isSame(old, label);
    }),
    removed: base.labels.filter(({ name }) => !after.has(name)),
    isDescribedAnew: base.description !== draft.description,
  };
}

export function hasChanges({ added, changed, removed, isDescribedAnew }: DraftChanges): boolean {
  return added.length + changed.length + removed.length > 0 || isDescribedAnew;
}

/** The same changes made to another version, which somebody else saved meanwhile. */
export function rebase(base: Draft, draft: Draft, newest: Draft): Draft {
  const { added, changed, removed, isDescribedAnew } = changesOf(base, draft);
  const mine = new Map([...added, ...changed].map((label) => [label.name.trim(), label]));
  const gone = new Set(removed.map(({ name }) => name));
  const kept = newest.labels.filter(({ name }) => !gone.has(name));
  const known = byName(newest);
  return {
    description: isDescribedAnew ? draft.description : newest.description,
    labels: [
      ...kept.map((label) => mine.get(label.name) ?? withoutParents(label, gone)),
      ...[...mine].filter(([name]) => !known.has(name)).map(([, label]) => label),
    ],
  };
}

/** What the API would refuse, said before it is asked. */
export function draftFaults({ labels }: Draft): readonly string[] {
  const names = labels.map(({ name }) => name.trim());
  const twice = new Set(names.filter((name, i) => name !== '' && names.indexOf(name) !== i));
  const known = new Set(names);
  const orphans = labels.flatMap(({ name, parents }) =>
    parents.filter((parent) => !known.has(parent)).map((parent) => [name, parent] as const),
  );
  return [
    ...(labels.length === 0 ? ['A vocabulary has at least one label.'] : []),
    ...(known.has('') ? ['A label has no name.'] : []),
    ...[...twice].map((name) => `There are two labels “${name}”.`),
    ...orphans.map(([name, parent]) => `“${name}” is below “${parent}”, which is no label here.`),
  ];
}

function withoutParents(label: DraftLabel, gone: ReadonlySet<string>): DraftLabel {
  if (!label.parents.some((parent) => gone.has(parent))) return label;
  return { ...label, parents: label.parents.filter((parent) => !gone.has(parent)) };
}

function byName({ labels }: Draft): ReadonlyMap<string, DraftLabel> {
  return new Map(labels.map((label) => [label.name.trim(), label]));
}

function isSame(one: DraftLabel, other: DraftLabel): boolean {
  return JSON.stringify(labelInput(one)) === JSON.stringify(labelInput(other));
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
