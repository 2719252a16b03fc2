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

/**
 * SQL conditions over `images`. A label stands for those below it in the newest version of its vocabulary, too; a name that no
 * vocabulary has stands for nothing. Ids of images are gathered from the tags' side, so that a label costs its own tags only.
 */
export function tagConditions(filter: TagFilter, add: AddParameter): readonly string[] {
  const { anyOf, allOf, noneOf } = filter;
  const tags = (names?: readonly string[]): string => taggedImages(filter, names, add);
  const names = [...new Set(allOf)];
  const all = `GROUP BY t.image_id HAVING count(DISTINCT below.root) = ${names.length}`;
  if (!anyOf && !allOf && !noneOf) return isRestricted(filter) ? [`id IN (${tags()})`] : [];
  return [
    ...(anyOf ? [anyOf.length === 0 ? 'FALSE' : `id IN (${tags(anyOf)})`] : []),
    ...(names.length > 0 ? [`id IN (${tags(names)} ${all})`] : []),
    ...(noneOf && noneOf.length > 0 ? [`NOT (id IN (${tags(noneOf)}))`] : []),
  ];
}

function isRestricted({ vocabulary, source, state }: TagFilter): boolean {
  return [vocabulary, source, state].some((value) => typeof value === 'string');
}

/** A query for the ids of images that have a tag of these names, or any where none are given. */
function taggedImages(
  { vocabulary, source, state }: TagFilter,
  names: readonly string[] | undefined,
  add: AddParameter,
): string {
  const ofVocabulary = typeof vocabulary === 'string' ? `v.name = ${add(vocabulary)}` : 'TRUE';
  const where = [
    ...(typeof source === 'string' ? [`t.source = ${add(source)}`] : []),
    ...(typeof state === 'string' ? [`t.state = ${add(state)}`] : []),
    'TRUE',
  ];
  if (names === undefined) {
    const labels = `SELECT l.id FROM labels l JOIN vocabularies v ON v.id = l.vocabulary_id WHERE ${ofVocabulary}`;
    const among = typeof vocabulary === 'string' ? `t.label_id IN (${labels})` : 'TRUE';
    return `SELECT t.image_id FROM image_tags t WHERE ${among} AND ${where.join(' AND ')}`;
  }
  return `
    WITH RECURSIVE below(root, label_id, vocabulary_id, version) AS (
      SELECT l.name, l.id, v.id, v.version FROM vocabularies v JOIN labels l ON l.vocabulary_id = v.id
      WHERE l.name = ANY(${add(names)}::text[]) AND ${ofVocabulary}
      UNION
      SELECT b.root, d.label_id, d.vocabulary_id, d.version
      FROM label_definitions d CROSS JOIN LATERAL unnest(d.parent_ids) AS parent(id)
        JOIN below b ON b.vocabulary_id = d.vocabulary_id AND b.version = d.version AND b.label_id = parent.id)
    SELECT t.image_id FROM below JOIN image_tags t ON t.label_id = below.label_id
    WHERE ${where.join(' AND ')}`;
}
