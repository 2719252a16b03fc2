import { recordIndexed, recordReplaced, type IndexKey } from '../../store/changes.ts';
import { addEmbeddings, hexOf, replaceEmbeddings } from '../../store/embeddings.ts';
import { readKeptSpaces } from '../../store/generations.ts';
import { lockImages } from '../../store/images.ts';
import type { ImageId } from '../../store/ids.ts';
import type { Outcome } from '../../store/job-items.ts';
import type { Queryable } from '../../store/transaction.ts';
import type { EmbeddedBatch } from './embed-batch.ts';
import type { ReindexOutcome } from './reindex-item.ts';

/** Writes embeddings and index entries of one generation, in the caller's transaction. Gives the items' outcomes. */
export async function commitReindex(
  client: Queryable,
  key: IndexKey,
  { images, failures, embeddings }: EmbeddedBatch,
  { again, itemIds }: { readonly again: boolean; readonly itemIds: readonly bigint[] },
): Promise<ReadonlyMap<bigint, Outcome>> {
  const kept = await readKeptSpaces(client, key.collectionId);
  if (!kept.has(key.visionSpaceId)) return new Map(itemIds.map((id) => [id, DISCARDED]));
  const wanted = [...images.values()].map(({ id }) => id);
  const now = await lockImages(client, key.collectionId, wanted);
  if (embeddings) await (again ? replaceEmbeddings : addEmbeddings)(client, embeddings);

  const outcomes = new Map<bigint, Outcome>();
  const counted = new Set((embeddings?.sha256s ?? []).map(hexOf));
  const indexed: ImageId[] = [];
  for (const itemId of itemIds) {
    const image = images.get(itemId);
    const failure = failures.get(itemId);
    const sha256 = image && now.get(image.id);
    if (image === undefined || sha256 === undefined) {
      outcomes.set(itemId, { kind: 'skipped', reasonCode: 'DELETED' satisfies ReindexOutcome });
    } else if (hexOf(sha256) !== hexOf(image.sha256)) {
      outcomes.set(itemId, done('INGESTED')); // into every kept generation
    } else if (failure) {
      outcomes.set(itemId, {
        ...{ kind: 'failed', reasonCode: failure.reason, message: failure.message },
      });
    } else {
      indexed.push(image.id);
      // Only the first image of the same bytes was embedded.
      outcomes.set(itemId, done(counted.delete(hexOf(sha256)) ? 'EMBEDDED' : 'REUSED'));
    }
  }
  if (again && embeddings) {
    await recordReplaced(client, key, { imageIds: indexed, sha256s: embeddings.sha256s });
  } else await recordIndexed(client, key, indexed);
  return outcomes;
}

export const DISCARDED: Outcome = {
  kind: 'failed',
  reasonCode: 'GENERATION_DISCARDED',
  message: 'The generation was discarded: start another reindex.',
};

function done(reasonCode: ReindexOutcome): Outcome {
  return { kind: 'done', reasonCode };
}
