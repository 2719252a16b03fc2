import type { ImageEncoder } from '../../models/image-encoder.ts';
import type { NewEmbeddings } from '../../store/embeddings.ts';
import type { VisionSpaceId } from '../../store/ids.ts';
import type { ReadBatch } from './read-batch.ts';

/** The embeddings a batch lacks, each of its bytes once. */
export async function encodeBatch(
  { pixels }: Pick<ReadBatch, 'pixels'>,
  encoder: () => Promise<Pick<ImageEncoder, 'encodePixels' | 'dimensions'>>,
  visionSpaceId: VisionSpaceId,
  signal: AbortSignal,
): Promise<NewEmbeddings | null> {
  if (pixels.size === 0) return null;
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
