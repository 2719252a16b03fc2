import type { ImageId } from './ids.ts';
import type { Queryable } from './transaction.ts';
import { ensureKeywords } from './vocabularies.ts';
import { ensureLabels } from './vocabulary-labels.ts';

/** What an image's file says it shows. */
export interface ImportedKeywords {
  readonly imageId: ImageId;
  /** Each once. */
  readonly keywords: readonly string[];
}

/** Makes these the images' imported tags; what stays keeps its time. Call it in the transaction that writes the images. */
export async function replaceImportedTags(
  client: Queryable,
  images: readonly ImportedKeywords[],
): Promise<void> {
  if (images.length === 0) return;
  const names = images.flatMap(({ keywords }) => keywords);
  const pairs = names.length === 0 ? [] : await labelled(client, images, names);
  const [imageIds, labelIds] = [pairs.map(([image]) => image), pairs.map(([, label]) => label)];
  await client.query(
    `WITH wanted AS (SELECT * FROM unnest($2::bigint[], $3::int[]) AS pair(image_id, label_id)),
     gone AS (
       DELETE FROM imported_tags t WHERE t.image_id = ANY($1::bigint[])
         AND NOT EXISTS (SELECT FROM wanted w WHERE w.image_id = t.image_id AND w.label_id = t.label_id))
     INSERT INTO imported_tags (image_id, label_id) SELECT image_id, label_id FROM wanted
     WHERE EXISTS (SELECT FROM images i WHERE i.id = image_id) -- it may have been deleted meanwhile
     ON CONFLICT DO NOTHING`,
    [images.map(({ imageId }) => imageId), imageIds, labelIds],
  );
}

async function labelled(
  client: Queryable,
  images: readonly ImportedKeywords[],
  names: readonly string[],
): Promise<readonly (readonly [ImageId, number])[]> {
  const vocabulary = await ensureKeywords(client);
  const labels = await ensureLabels(client, vocabulary.id, names);
  return images.flatMap(({ imageId, keywords }) =>
    keywords.flatMap((name) => {
      const label = labels.get(name);
      return label === undefined ? [] : [[imageId, label] as const];
    }),
  );
}
