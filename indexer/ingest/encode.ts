import type { VisionModel } from '../../models/loaded-models.ts';
import type { NewEmbeddings } from '../../store/embeddings.ts';
import type { VisionSpaceId } from '../../store/ids.ts';
import type { Target } from '../targets.ts';
import type { ReadBatch } from './read-batch.ts';

/** The embeddings a batch lacks, of each vision space and each of its bytes once. */
export async function encodeBatch(
  { pixels }: Pick<ReadBatch, 'pixels'>,
  targets: readonly Target[],
  signal: AbortSignal,
): Promise<readonly NewEmbeddings[]> {
  const encoded: NewEmbeddings[] = [];
  for (const { key, vision } of targets) {
    const ofSpace = pixels.get(key.visionSpaceId);
    if (ofSpace) encoded.push(await encodePixels(ofSpace, vision, key.visionSpaceId, signal));
  }
  return encoded;
}

/** `pixels` by hash in hex. */
export async function encodePixels(
  pixels: ReadonlyMap<string, Uint8Array>,
  { encoder }: Pick<VisionModel, 'encoder'>,
  visionSpaceId: VisionSpaceId,
  signal: AbortSignal,
): Promise<NewEmbeddings> {
  const loaded = await encoder();
  const { dimensions } = loaded;
  const embeddings = await loaded.encodePixels([...pixels.values()], { signal });
  const vectors = new Float32Array(embeddings.length * dimensions);
  embeddings.forEach((embedding, row) => {
    vectors.set(embedding, row * dimensions);
  });
  const sha256s = [...pixels.keys()].map((hash) => Buffer.from(hash, 'hex'));
  return { visionSpaceId, sha256s, vectors };
}
