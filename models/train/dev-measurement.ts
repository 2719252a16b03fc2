import { float32Values, OnnxSession, Tensor } from '../onnx-session.ts';
import { recallAt, retrievalRanks } from '../evaluate/ranks.ts';
import type { Similarity } from '../similarity.ts';
import type { CaptionedFeatures } from './training-data.ts';

/** Recall on the dev photos, percent. */
export interface DevMeasurement {
  readonly textToImage: { readonly r1: number; readonly r5: number; readonly r10: number };
  readonly imageToText: { readonly r1: number; readonly r5: number; readonly r10: number };
}

/** Measures a projector graph on the dev photos. */
export async function measureOnDev(
  projector: Uint8Array,
  dev: CaptionedFeatures,
  similarity: Similarity,
  threads: number,
): Promise<DevMeasurement> {
  const captionCount = dev.captionsOf.reduce((sum, rows) => sum + rows.length, 0);
  const images = dev.views[0] ?? new Float32Array();
  const dimensions = images.length / dev.captionsOf.length;
  const imageOf = new Int32Array(captionCount);
  dev.captionsOf.forEach((rows, photo) => {
    for (const row of rows) imageOf[row] = photo;
  });
  const session = await OnnxSession.load(projector, { threads });
  try {
    const width = dev.captions.length / captionCount;
    const features = new Tensor('float32', dev.captions, [captionCount, width]);
    const { embedding } = await session.run({ features });
    const captions = float32Values(embedding, captionCount * dimensions);
    const ranks = await retrievalRanks(similarity, dimensions, captions, images, imageOf);
    return { textToImage: recalls(ranks.textToImage), imageToText: recalls(ranks.imageToText) };
  } finally {
    await session.dispose();
  }
}

/** One number to choose a checkpoint by: the mean of all six recalls, steadier than any one of them. */
export function overallRecall({ textToImage, imageToText }: DevMeasurement): number {
  const all = [...Object.values(textToImage), ...Object.values(imageToText)];
  return all.reduce((sum, value) => sum + value, 0) / all.length;
}

function recalls(ranks: Int32Array): { r1: number; r5: number; r10: number } {
  return { r1: recallAt(ranks, 1), r5: recallAt(ranks, 5), r10: recallAt(ranks, 10) };
}
