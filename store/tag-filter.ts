/** Which tags an image has; every given field must hold. */
export interface TagFilter {
  readonly anyOf?: readonly string[] | null | undefined;
  readonly allOf?: readonly string[] | null | undefined;
  readonly noneOf?: readonly string[] | null | undefined;
  /** A vocabulary's name. */
  readonly vocabulary?: string | null | undefined;
  readonly source?: 'MANUAL' | 'RUN' | 'IMPORTED' | null | undefined;
  readonly state?: 'UNREVIEWED' | 'ACCEPTED' | 'REJECTED' | null | undefined;
}

/** Gives a parameter's place (`$3`) for its value. */
type AddParameter = (value: unknown) => string;

export interface Where {
  readonly add: AddParameter;
  /** Whether the conditions stand within an OR or a NOT, where Postgres can't join. */
  readonly isNested: boolean;
}

/**
 * SQL conditions over `images` of the collection `$1`. A label stands for those below it in the newest version of its vocabulary,
 * too; a name that no vocabulary has stands for nothing.
 *
 * They say what the view `image_tags` says, from the labels' side: a label costs its own tags only. The view would have to look at
 * all tags there are to say which run's counts, and for whether an image has a label that doesn't matter.
 */
export function tagConditions(filter: TagFilter, { add, isNested }: Where): readonly string[] {
  const { anyOf, allOf, noneOf } = filter;
  const has = (query: string): string => `id IN (${isNested ? hashed(query) : query})`;
  const tagged = (names: readonly string[] | null): string => taggedImages(filter, names, add);
  if (!anyOf && !allOf && !noneOf) return isRestricted(filter) ? [has(tagged(null))] : [];
  return [
    ...(anyOf ? [anyOf.length === 0 ? 'FALSE' : has(tagged(anyOf))] : []),
    ...(allOf && allOf.length > 0 ? [has(tagged(allOf) + haveAll(allOf))] : []),
    ...(noneOf && noneOf.length > 0 ? [`NOT (id IN (${hashed(tagged(noneOf))}))`] : []),
  ];
}

function isRestricted({ vocabulary, source, state }: TagFilter): boolean {
  return [vocabulary, source, state].some((value) => typeof value === 'string');
}

/** Of an array Postgres expects ten members, and so looks them up in a hash table, however many there are. */
function hashed(query: string): string {
  return `SELECT unnest(ARRAY(${query}))`;
}

function haveAll(names: readonly string[]): string {
  return ` GROUP BY t.image_id HAVING count(DISTINCT below.root) = ${new Set(names).size}`;
}

/** A query for the ids of images that have a tag of these names; null: any tag. */
function taggedImages(
  filter: TagFilter,
  names: readonly string[] | null,
  add: AddParameter,
): string {
  const { vocabulary } = filter;
  const isAny = names === null && typeof vocabulary !== 'string';
  if (isAny) return `SELECT t.image_id FROM (${tagsWhere(filter, 'TRUE')}) t`;
  const ofVocabulary = typeof vocabulary === 'string' ? `v.name = ${add(vocabulary)}` : 'TRUE';
  const named = names === null ? 'TRUE' : `l.name = ANY(${add(names)}::text[])`;
  return `
    WITH RECURSIVE below(root, label_id, vocabulary_id, version) AS (
      SELECT l.name, l.id, v.id, v.version FROM vocabularies v JOIN labels l ON l.vocabulary_id = v.id
      WHERE ${named} AND ${ofVocabulary}
      UNION
      SELECT b.root, d.label_id, d.vocabulary_id, d.version
      FROM label_definitions d CROSS JOIN LATERAL unnest(d.parent_ids) AS parent(id)
        JOIN below b ON b.vocabulary_id = d.vocabulary_id AND b.version = d.version AND b.label_id = parent.id
      WHERE ${names === null ? 'FALSE' : 'TRUE'})
    SELECT t.image_id FROM (${tagsWhere(filter, 't.label_id = ANY(ARRAY(SELECT label_id FROM below))')}) t
      ${names === null ? '' : 'JOIN below ON below.label_id = t.label_id'}`;
}

/** Runs of the collection whose tags show. */
const SHOWN = `run_id = ANY(ARRAY(
  SELECT id FROM tag_runs WHERE collection_id = $1 AND state = 'APPLIED' AND superseded_by IS NULL))`;

const IN_RUN = `EXISTS (SELECT FROM run_tags r WHERE r.image_id = t.image_id AND r.label_id = t.label_id AND r.${SHOWN})`;
const IN_FILE = `EXISTS (SELECT FROM imported_tags m WHERE m.image_id = t.image_id AND m.label_id = t.label_id)`;
const UNDECIDED = `NOT EXISTS (SELECT FROM tag_decisions d WHERE d.image_id = t.image_id AND d.label_id = t.label_id)`;

/** What people accepted has a source like any other: by hand, or what they looked at. */
const ACCEPTED_FROM = {
  MANUAL: `(t.is_manual OR NOT (${IN_RUN} OR ${IN_FILE}))`,
  RUN: `NOT t.is_manual AND ${IN_RUN}`,
  IMPORTED: `NOT t.is_manual AND NOT ${IN_RUN} AND ${IN_FILE}`,
} as const;

/** Tags of labels as the view has them, an (image, label) perhaps several times. */
function tagsWhere({ source, state }: TagFilter, isLabel: string): string {
  const from = source ?? null;
  const accepted = from === null ? 'TRUE' : ACCEPTED_FROM[from];
  const parts = {
    accepted: `SELECT t.image_id, t.label_id FROM tag_decisions t WHERE verdict = 'ACCEPTED' AND ${isLabel} AND ${accepted}`,
    run: `SELECT t.image_id, t.label_id FROM run_tags t WHERE t.${SHOWN} AND ${isLabel} AND ${UNDECIDED}`,
    imported: `SELECT t.image_id, t.label_id FROM imported_tags t WHERE ${isLabel} AND ${UNDECIDED} AND ${
      from === null ? 'TRUE' : `NOT ${IN_RUN}`
    }`,
  };
  const wanted = [
    ...(state === 'UNREVIEWED' ? [] : [parts.accepted]),
    ...(state === 'ACCEPTED' || (from !== null && from !== 'RUN') ? [] : [parts.run]),
    ...(state === 'ACCEPTED' || (from !== null && from !== 'IMPORTED') ? [] : [parts.imported]),
  ];
  return wanted.length === 0 ? NOTHING : wanted.join(' UNION ALL ');
}

const NOTHING = 'SELECT t.image_id, t.label_id FROM tag_decisions t WHERE FALSE';
