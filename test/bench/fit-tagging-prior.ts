/**
 * Fits what holds for labels in general (`PRIOR` in indexer/tagging/calibration.ts) on captioned photos, and compares how evidence may
 * be made of scores:
 *
 *     npx tsx test/bench/fit-tagging-prior.ts --dataset DIR [--split dev] [--bundle DIR]
 *
 * Collections are drawn from the photos: all, a hundred, ten classes of ten, and five. The prior's centre is fitted over them together,
 * each kind of collection weighing the same; its spread is twice that of each label's own fit over all photos. Formulas are compared on labels
 * that took no part in the fit.
 */
import { parseArgs } from 'node:util';
import { formatTable } from '../../bin/table.ts';
import {
  evidenceOf,
  fitCalibration,
  probabilityOf,
  statisticsOf,
  type CalibrationPrior,
} from '../../indexer/tagging/calibration.ts';
import { Random } from '../../platform/random.ts';
import { embedLabelled } from '../support/captioned-embeddings.ts';

const { values: flags } = parseArgs({
  options: {
    dataset: { type: 'string' },
    split: { type: 'string', default: 'dev' },
    bundle: { type: 'string' },
  },
});
if (flags.dataset === undefined)
  throw new Error('Give --dataset DIR, a folder with captions.jsonl.');
const { labels, photos, vectors, background } = await embedLabelled(
  { dataset: flags.dataset, split: flags.split },
  flags.bundle,
);

/** A label counts when so many photos show it. */
const LEAST_SHOWN = 10;
const random = new Random('tagging prior');
const everyone = photos.map((_, i) => i);
const shown = labels.map((_, label) => everyone.filter((i) => photos[i]?.shows[label]));
const common = labels.flatMap((_, label) =>
  (shown[label]?.length ?? 0) >= LEAST_SHOWN ? [label] : [],
);
const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
const scores = vectors.map((vector) => photos.map(({ embedding }) => dot(vector, embedding)));
const grounds = photos.map(({ embedding }) => dot(background, embedding));

interface Point {
  readonly evidence: number;
  readonly accepted: boolean;
}

const draw = (from: readonly number[], count: number): readonly number[] =>
  [...random.permutation(from.length).subarray(0, count)].map((i) => from[i] ?? 0);
const tenOfTen = (): readonly number[] => [
  ...new Set(draw(common, 10).flatMap((label) => draw(shown[label] ?? [], 10))),
];
const repeat = <T>(count: number, make: () => T): readonly T[] =>
  Array.from({ length: count }, make);
const kinds = {
  all: [everyone],
  hundred: repeat(10, () => draw(everyone, 100)),
  'ten of ten': repeat(10, tenOfTen),
  five: repeat(100, () => draw(everyone, 5)),
};

type Evidence = (score: number, ground: number) => number;
type Scale = (evidence: readonly number[]) => { mean: number; deviation: number };

const plain: Scale = (evidence) => {
  const mean = evidence.reduce((sum, one) => sum + one, 0) / evidence.length;
  const square = evidence.reduce((sum, one) => sum + (one - mean) ** 2, 0) / evidence.length;
  return { mean, deviation: Math.max(1e-3, Math.sqrt(square)) };
};
const fixed: Scale = () => ({ mean: 0, deviation: 0.07 });

/** z and truth of all pairs of a label and a collection's photos. */
function pointsOf(label: number, among: readonly number[], of: Evidence, scale: Scale): Point[] {
  const evidence = among.map((i) => of(scores[label]?.[i] ?? 0, grounds[i] ?? 0));
  const { mean, deviation } = scale(evidence);
  return among.map((i, at) => ({
    evidence: ((evidence[at] ?? 0) - mean) / deviation,
    accepted: photos[i]?.shows[label] ?? false,
  }));
}

const AS_IS = { mean: 0, deviation: 1 };
const WEAK: CalibrationPrior = {
  ...{ slope: 1, intercept: -3 },
  precision: { slope: 0.01, cross: 0, intercept: 0.01 },
};

/** Points of every kind of collection, in like numbers. */
function gather(of: Evidence, scale: Scale, among: readonly number[]): Point[] {
  return Object.values(kinds).flatMap((collections) => {
    const points = collections.flatMap((photos) =>
      among.flatMap((label) => pointsOf(label, photos, of, scale)),
    );
    return draw([...points.keys()], 20_000).flatMap((i) => points[i] ?? []);
  });
}

function logLoss(points: readonly Point[], line: { slope: number; intercept: number }): number {
  const loss = points.map(({ evidence, accepted }) => {
    const p = probabilityOf(evidence, { ...AS_IS, ...line, accepted: 0, rejected: 0 });
    return -Math.log(accepted ? p : 1 - p);
  });
  return loss.reduce((sum, one) => sum + one, 0) / loss.length;
}

function averagePrecision(label: number, of: Evidence): number {
  const order = pointsOf(label, everyone, of, fixed).sort((a, b) => b.evidence - a.evidence);
  const hits = order.flatMap(({ accepted }, rank) => (accepted ? [rank] : []));
  return hits.reduce((sum, rank, found) => sum + (found + 1) / (rank + 1), 0) / hits.length;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, one) => sum + one, 0) / values.length;

const formulas: readonly (readonly [string, Evidence])[] = [
  ['score', (score) => score],
  ['score − background ÷ 2', evidenceOf],
  ['score − background', (score, ground) => score - ground],
];
const scales: readonly (readonly [string, Scale])[] = [
  ['fixed', fixed],
  ["the collection's", plain],
  ['drawn to usual', statisticsOf],
];
const halves = [common.filter((_, i) => i % 2 === 0), common.filter((_, i) => i % 2 === 1)];
const rows = formulas.flatMap(([name, of]) =>
  scales.map(([scale, by]) => {
    const [a, b] = halves.map((half) => gather(of, by, half));
    const losses = [
      logLoss(b ?? [], fitCalibration(a ?? [], AS_IS, WEAK)),
      logLoss(a ?? [], fitCalibration(b ?? [], AS_IS, WEAK)),
    ];
    const precision = mean(common.map((label) => averagePrecision(label, of)));
    return [name, scale, mean(losses).toFixed(4), precision.toFixed(3)];
  }),
);
process.stdout.write(
  `${photos.length} photos, ${common.length} labels shown by ${LEAST_SHOWN} or more\n`,
);
process.stdout.write(
  formatTable([['evidence', 'mean and deviation', 'log loss', 'mean average precision'], ...rows]),
);

const together = fitCalibration(gather(evidenceOf, statisticsOf, common), AS_IS, WEAK);
const own = common.map((label) =>
  fitCalibration(pointsOf(label, everyone, evidenceOf, statisticsOf), AS_IS, WEAK),
);
const covariance = {
  slope: mean(own.map((one) => (one.slope - together.slope) ** 2)),
  cross: mean(
    own.map((one) => (one.slope - together.slope) * (one.intercept - together.intercept)),
  ),
  intercept: mean(own.map((one) => (one.intercept - together.intercept) ** 2)),
};
const determinant = covariance.slope * covariance.intercept - covariance.cross ** 2;
const print = (what: string, value: object): void => {
  process.stdout.write(`${what} ${JSON.stringify(value)}\n`);
};
print('together', { slope: together.slope, intercept: together.intercept });
print("labels' own around it, squared", covariance);
/** Other collections and vocabularies differ more than these nouns. */
const WIDER = 2;
print('precision', {
  slope: covariance.intercept / determinant / WIDER,
  cross: -covariance.cross / determinant / WIDER,
  intercept: covariance.slope / determinant / WIDER,
});
