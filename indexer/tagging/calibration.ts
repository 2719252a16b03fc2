import { z } from 'zod';

/*
 * From a score to a chance.
 *
 * score     cosine of a label's vector and an image's embedding
 * evidence  score − cosine of the image with the background (the mean embedding of texts that say nothing): some images are near to every text
 * z         (evidence − mean) ÷ deviation, over a fixed sample of the collection: some labels are near to every image
 * p         1 ÷ (1 + exp(−(slope · z + intercept))), Platt's sigmoid; slope and intercept from the label's clicks, drawn towards what holds for
 *           labels in general while there are few
 */

export const calibrationShape = z.object({
  /** Of the evidence over the sample. */
  mean: z.number(),
  deviation: z.number().positive(),
  slope: z.number().positive(),
  intercept: z.number(),
  /** Clicks it was fitted with. */
  accepted: z.int().min(0),
  rejected: z.int().min(0),
});

export type Calibration = Readonly<z.infer<typeof calibrationShape>>;

/** From so many clicks on, a label counts as calibrated. */
export const LEAST_CLICKS = 20;

export function isCalibrated({ accepted, rejected }: Calibration): boolean {
  return accepted + rejected >= LEAST_CLICKS;
}

export function probabilityOf(
  evidence: number,
  { mean, deviation, slope, intercept }: Calibration,
): number {
  const z = (evidence - mean) / deviation;
  return 1 / (1 + Math.exp(-(slope * z + intercept)));
}

/** What holds for labels in general, as long as nobody clicked. */
export const PRIOR = { slope: 2.2, intercept: -6.6 } as const;
