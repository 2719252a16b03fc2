import {
  asImageId,
  asLabelId,
  asTagRunId,
  type ImageId,
  type LabelId,
  type TagRunId,
} from './ids.ts';
import type { Queryable } from './transaction.ts';

/** A row of the view `image_tags`: a tag that an image has. */
export interface ImageTagRecord {
  readonly imageId: ImageId;
  readonly labelId: LabelId;
  readonly label: string;
  readonly vocabulary: string;
  readonly source: 'MANUAL' | 'RUN' | 'IMPORTED';
  readonly tagRunId: TagRunId | null;
  readonly score: number | null;
  readonly probability: number | null;
  readonly state: 'UNREVIEWED' | 'ACCEPTED';
  /** Whether its run went through another text model than the collection's live generation has now. */
  readonly isStale: boolean;
  readonly setBy: string;
  readonly setAt: Date;
}

/** The tags of these images, by vocabulary and then the most probable first; images without any are left out. */
export async function findTagsOf(
  db: Queryable,
  imageIds: readonly ImageId[],
): Promise<ReadonlyMap<ImageId, readonly ImageTagRecord[]>> {
  const { rows } = await db.query<TagRow>(FIND_TAGS, [imageIds]);
  const found = new Map<ImageId, ImageTagRecord[]>();
  for (const tag of rows.map(toRecord)) {
    const tags = found.get(tag.imageId);
    if (tags) tags.push(tag);
    else found.set(tag.imageId, [tag]);
  }
  return found;
}

const FIND_TAGS = `
  SELECT t.image_id, t.label_id, l.name AS label, v.name AS vocabulary, t.source, t.run_id, t.score, t.probability,
    t.state, r.id IS NOT NULL AND g.text_model_id IS DISTINCT FROM r.text_model_id AS is_stale, t.set_by, t.set_at
  FROM image_tags t
  JOIN labels l ON l.id = t.label_id
  JOIN vocabularies v ON v.id = l.vocabulary_id
  LEFT JOIN tag_runs r ON r.id = t.run_id
  LEFT JOIN generations g ON g.collection_id = r.collection_id AND g.state = 'LIVE'
  WHERE t.image_id = ANY($1::bigint[])
  ORDER BY t.image_id, v.name COLLATE "C", t.probability DESC NULLS LAST, l.name COLLATE "C"`;

interface TagRow {
  readonly image_id: string;
  readonly label_id: number;
  readonly label: string;
  readonly vocabulary: string;
  readonly source: ImageTagRecord['source'];
  readonly run_id: string | null;
  readonly score: number | null;
  readonly probability: number | null;
  readonly state: ImageTagRecord['state'];
  readonly is_stale: boolean;
  readonly set_by: string;
  readonly set_at: Date;
}

function toRecord(row: TagRow): ImageTagRecord {
  const { label, vocabulary, source, score, probability, state } = row;
  return {
    ...{ label, vocabulary, source, score, probability, state },
    imageId: asImageId(row.image_id),
    labelId: asLabelId(row.label_id),
    tagRunId: row.run_id === null ? null : asTagRunId(row.run_id),
    isStale: row.is_stale,
    setBy: row.set_by,
    setAt: row.set_at,
  };
}
