import { normalize } from '../../models/embedding.ts';
import { readEmbeddings, hexOf } from '../../store/embeddings.ts';
import type { IndexKey } from '../../store/changes.ts';
import type { GenerationCheck } from '../../store/generations.ts';
import type { Queryable } from '../../store/transaction.ts';
import { DEFAULT_EF } from '../vector-index/engines.ts';
import type { ThreadIndex } from '../vector-index/thread-index.ts';

/** Images that are searched for. */
const SAMPLE = 100;
const K = 10;
/** Mean share of the true ten nearest that a graph has to give. */
const LEAST_RECALL = 0.99;
/** Between the scores of a picture and a copy of it. */
const TIE = 1e-5;

interface Sampled {
  readonly id: bigint;
  readonly vector: Float32Array;
}

/** What the engine gives against comparing with every vector. Queries lie between two pictures, where nothing is stored. */
export async function checkRecall(
  db: Queryable,
  key: IndexKey,
  index: ThreadIndex,
): Promise<GenerationCheck> {
  const sample = await readSample(db, key);
  let [found, wanted] = [0, 0];
  for (const [i, { vector }] of sample.entries()) {
    const other = sample[(i + 1) % sample.length]?.vector ?? vector;
    const query = normalize(vector.map((value, d) => value + (other[d] ?? 0)));
    const truth = await index.search(query, K, { exact: true });
    const { ids } = await index.search(query, K, { ef: DEFAULT_EF });
    const given = new Set(ids);
    wanted += truth.ids.length;
    found += truth.ids.filter((id) => given.has(id)).length;
  }
  const recall = wanted === 0 ? 1 : found / wanted;
  const detail = `recall@${K} ${recall.toFixed(4)} of the engine ${index.engine} over ${sample.length} queries; at least ${LEAST_RECALL} is needed.`;
  return { name: 'recall', passed: recall >= LEAST_RECALL, detail };
}

/** Nothing may be nearer to a picture than itself, or a copy. Exactly: what a graph misses is `recall`'s to say. */
export async function checkOwnVectorFirst(
  db: Queryable,
  key: IndexKey,
  index: ThreadIndex,
): Promise<GenerationCheck> {
  const sample = await readSample(db, key);
  const wrong: bigint[] = [];
  for (const { id, vector } of sample) {
    const { ids, scores } = await index.search(normalize(vector), 1, { exact: true });
    const isFirst = ids[0] === id || Math.abs((scores[0] ?? -1) - 1) <= TIE;
    if (!isFirst) wrong.push(id);
  }
  const right = sample.length - wrong.length;
  const detail = `${right} of ${sample.length} images are found first by their own vectors.`;
  return { name: 'own-vector-first', passed: wrong.length === 0, detail };
}

async function readSample(
  db: Queryable,
  { collectionId, visionSpaceId }: IndexKey,
): Promise<readonly Sampled[]> {
  const { rows } = await db.query<{ id: string; sha256: Buffer }>(
    `SELECT image_id AS id, sha256 FROM index_entries
     WHERE collection_id = $1 AND vision_space_id = $2 AND sha256 IS NOT NULL ORDER BY random() LIMIT $3`,
    [collectionId, visionSpaceId, SAMPLE],
  );
  const hashes = rows.map(({ sha256 }) => sha256);
  const vectors = await readEmbeddings(db, visionSpaceId, hashes);
  return rows.flatMap(({ id, sha256 }) => {
    const vector = vectors.get(hexOf(sha256));
    return vector ? [{ id: BigInt(id), vector }] : [];
  });
}
