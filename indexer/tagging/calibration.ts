import { z } from 'zod';

/*
 * From a score to a chance.
 *
 * score     cosine of a label's vector and an image's embedding
 * evidence  score − half the cosine of the image with the background (the mean embedding of texts that say nothing): some images are
 *           near to every text
 * z         (evidence − mean) ÷ deviation, over a fixed sample of the collection, drawn towards what is usual while that is small: some
 *           labels are near to every image
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

export function isCalibrated({
  accepted,
  rejected,
}: Pick<Calibration, 'accepted' | 'rejected'>): boolean {
  return accepted + rejected >= LEAST_CLICKS;
}

/** How much of its nearness to the background an image's score is freed of; found by average precision (docs/decisions/0050-evidence.md). */
const BACKGROUND_WEIGHT = 0.5;

/** `background`: the cosine of the image with the background. */
export function evidenceOf(score: number, background: number): number {
  return score - BACKGROUND_WEIGHT * background;
}

export function probabilityOf(
  evidence: number,
  { mean, deviation, slope, intercept }: Calibration,
): number {
  const z = (evidence - mean) / deviation;
  return sigmoid(slope * z + intercept);
}

export type EvidenceStatistics = Pick<Calibration, 'mean' | 'deviation'>;

/** Images that what holds in general counts for, beside the sample's own: of the mean, and of the deviation, which is steadier. */
const [MEAN_COUNTS_FOR, DEVIATION_COUNTS_FOR] = [20, 400];
/** Cosines. Projectors are trained so that a text's cosine with a photo that has nothing to do with it is about 0, give or take this. */
const USUAL_DEVIATION = 0.07;

/**
 * Mean and deviation of a sample's evidence, drawn towards what is usual while the sample is small: of five photos, or a hundred of which
 * ten show the label, those that show it move both.
 */
export function statisticsOf(
  evidence: Iterable<number> & { readonly length: number },
): EvidenceStatistics {
  let [sum, squares] = [0, 0];
  for (const one of evidence) sum += one;
  const count = evidence.length;
  const mean = sum / Math.max(1, count);
  for (const one of evidence) squares += (one - mean) ** 2;
  const usual = DEVIATION_COUNTS_FOR * USUAL_DEVIATION ** 2;
  return {
    mean: sum / (count + MEAN_COUNTS_FOR),
    deviation: Math.sqrt((squares + usual) / (count + DEVIATION_COUNTS_FOR)),
  };
}

/** What a person said of an image, and how much the model had for it. */
export interface Click {
  readonly evidence: number;
  readonly accepted: boolean;
}

/** How slopes and intercepts are spread over labels: a normal distribution. */
export interface CalibrationPrior {
  readonly slope: number;
  readonly intercept: number;
  /** The inverse of the covariance matrix. */
  readonly precision: Readonly<Record<'slope' | 'cross' | 'intercept', number>>;
}

/**
 * What holds for labels in general, as long as nobody clicked: fitted on 56 nouns over the 1,000 dev photos of Flickr8k
 * (test/bench/fit-tagging-prior.ts; docs/decisions/0050-evidence.md). The spread is twice that of those nouns: other collections and vocabularies differ more.
 */
export const PRIOR: CalibrationPrior = {
  ...{ slope: 0.95, intercept: -3.17 },
  precision: { slope: 4.4, cross: 0.7, intercept: 0.26 },
};

/** Labels that the prior was fitted with, and the fewest it is carried over to. */
const [FITTED_LABELS, FEWEST_LABELS] = [56, 10] as const;

/**
 * What holds for the labels of a vocabulary. One of a few labels is what a photo shows more often than one of 56, because people write short
 * vocabularies for collections they know. Larger ones keep the prior: they name more of what each photo shows, and that makes up for their being
 * more. How rare a label is, is all that its intercept tells: over labels it goes with the logarithm of the share of photos that show
 * it, with a correlation of 0.99, and no text or image tells that share beforehand.
 */
export function priorOf(vocabularySize: number): CalibrationPrior {
  const size = Math.min(FITTED_LABELS, Math.max(FEWEST_LABELS, vocabularySize));
  return { ...PRIOR, intercept: PRIOR.intercept + Math.log(FITTED_LABELS / size) };
}

/** A label whose clicks contradict its scores gets nearly the same probability everywhere, never a falling one. */
const LEAST_SLOPE = 0.1;

/**
 * Platt's sigmoid with a normal prior: the most probable slope and intercept, given the clicks. Without clicks these are the prior's.
 * Which images were clicked doesn't matter, as long as they were chosen by their scores.
 */
export function fitCalibration(
  clicks: readonly Click[],
  { mean, deviation }: EvidenceStatistics,
  prior: CalibrationPrior = PRIOR,
): Calibration {
  const points = clicks.map(({ evidence, accepted }) => ({
    z: (evidence - mean) / deviation,
    y: accepted ? 1 : 0,
  }));
  const free = maximize(points, prior, null);
  const line = free.slope >= LEAST_SLOPE ? free : maximize(points, prior, LEAST_SLOPE);
  const accepted = clicks.filter((click) => click.accepted).length;
  return { mean, deviation, ...line, accepted, rejected: clicks.length - accepted };
}

interface Point {
  readonly z: number;
  readonly y: number;
}

interface Line {
  readonly slope: number;
  readonly intercept: number;
}

const MOST_STEPS = 100;
const TOLERANCE = 1e-9;

/** Newton's method; the posterior's logarithm is concave, and half steps keep it rising. `slope`: held there. */
function maximize(points: readonly Point[], prior: CalibrationPrior, slope: number | null): Line {
  let line: Line = { slope: slope ?? prior.slope, intercept: prior.intercept };
  for (let step = 0; step < MOST_STEPS; step++) {
    const { slope: a, intercept: b } = newtonStep(points, prior, line, slope === null);
    const value = posterior(points, prior, line);
    let factor = 1;
    const at = (): Line => ({
      slope: line.slope + factor * a,
      intercept: line.intercept + factor * b,
    });
    while (factor > TOLERANCE && posterior(points, prior, at()) < value) factor /= 2;
    line = at();
    if (Math.abs(a) + Math.abs(b) < TOLERANCE) break;
  }
  return line;
}

/** The logarithm of the posterior, but for a constant. */
function posterior(points: readonly Point[], prior: CalibrationPrior, line: Line): number {
  const { slope, cross, intercept } = prior.precision;
  const [da, db] = [line.slope - prior.slope, line.intercept - prior.intercept];
  const drawn = -0.5 * (slope * da * da + 2 * cross * da * db + intercept * db * db);
  return points.reduce((sum, { z, y }) => {
    const logit = line.slope * z + line.intercept;
    return sum - softplus(y === 1 ? -logit : logit);
  }, drawn);
}

/** Gradient over curvature. */
function newtonStep(
  points: readonly Point[],
  prior: CalibrationPrior,
  line: Line,
  isSlopeFree: boolean,
): Line {
  const { slope, cross, intercept } = prior.precision;
  const [da, db] = [line.slope - prior.slope, line.intercept - prior.intercept];
  let [ga, gb] = [-slope * da - cross * db, -cross * da - intercept * db];
  let [haa, hab, hbb] = [slope, cross, intercept];
  for (const { z, y } of points) {
    const p = sigmoid(line.slope * z + line.intercept);
    const weight = p * (1 - p);
    ga += (y - p) * z;
    gb += y - p;
    haa += weight * z * z;
    hab += weight * z;
    hbb += weight;
  }
  if (!isSlopeFree) return { slope: 0, intercept: gb / hbb };
  const determinant = haa * hbb - hab * hab;
  return {
    slope: (hbb * ga - hab * gb) / determinant,
    intercept: (haa * gb - hab * ga) / determinant,
  };
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** log(1 + exp(x)) without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
