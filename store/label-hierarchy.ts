import { asLabelId, type LabelId } from './ids.ts';
import type { Queryable } from './transaction.ts';

/** By label: the labels above or below it, at any distance. Labels without any are left out. */
export type Relatives = ReadonlyMap<LabelId, readonly LabelId[]>;

/** The links of the newest versions of the labels' vocabularies. */
const LINKS = `links AS MATERIALIZED (
  SELECT d.label_id AS below, parent AS above
  FROM vocabularies v JOIN label_definitions d ON d.vocabulary_id = v.id AND d.version = v.version, unnest(d.parent_ids) AS parent
  WHERE v.id IN (SELECT vocabulary_id FROM labels WHERE id = ANY($1::int[])))`;

/** More general labels, by the newest version of each label's vocabulary. */
export function findAbove(db: Queryable, labels: readonly LabelId[]): Promise<Relatives> {
  return walk(db, labels, { from: 'below', to: 'above' });
}

/** More special labels, by the newest version of each label's vocabulary. */
export function findBelow(db: Queryable, labels: readonly LabelId[]): Promise<Relatives> {
  return walk(db, labels, { from: 'above', to: 'below' });
}

interface Direction {
  readonly from: 'above' | 'below';
  readonly to: 'above' | 'below';
}

async function walk(
  db: Queryable,
  labels: readonly LabelId[],
  { from, to }: Direction,
): Promise<Relatives> {
  if (labels.length === 0) return new Map();
  const { rows } = await db.query<{ label: number; relatives: number[] }>(
    `WITH RECURSIVE ${LINKS}, found (label, relative) AS (
       SELECT ${from}, ${to} FROM links WHERE ${from} = ANY($1::int[])
       UNION
       SELECT found.label, links.${to} FROM found JOIN links ON links.${from} = found.relative)
     SELECT label, array_agg(relative ORDER BY relative) AS relatives FROM found GROUP BY label`,
    [labels],
  );
  return new Map(rows.map((row) => [asLabelId(row.label), row.relatives.map(asLabelId)]));
}
