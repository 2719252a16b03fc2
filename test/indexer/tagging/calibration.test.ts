import { describe, expect, test } from '@jest/globals';
import {
  fitCalibration,
  isCalibrated,
  LEAST_CLICKS,
  PRIOR,
  priorOf,
  probabilityOf,
  statisticsOf,
  type Click,
} from '../../../indexer/tagging/calibration.ts';
import { Random } from '../../../platform/random.ts';

const AS_IS = { mean: 0, deviation: 1 };

/** Clicks whose chance of being accepted is a known sigmoid's. */
function clicksOf(count: number, slope: number, intercept: number): readonly Click[] {
  const random = new Random('clicks', count, slope, intercept);
  return Array.from({ length: count }, () => {
    const evidence = 2 * random.normal();
    const chance = 1 / (1 + Math.exp(-(slope * evidence + intercept)));
    return { evidence, accepted: random.uniform() < chance };
  });
}

const clicksWith = (count: number, accepted: boolean): readonly Click[] =>
  Array.from({ length: count }, (_, i) => ({ evidence: i / count, accepted }));

describe('fitting a calibration', () => {
  test('gives the prior without clicks', () => {
    const { slope, intercept } = fitCalibration([], AS_IS);

    expect({ slope, intercept }).toEqual({ slope: PRIOR.slope, intercept: PRIOR.intercept });
  });

  test.each([
    [2.5, -1],
    [0.7, 2],
    [1.2, -4],
  ])('finds the sigmoid of slope %d and intercept %d again', (slope, intercept) => {
    const fitted = fitCalibration(clicksOf(20_000, slope, intercept), AS_IS);

    expect(Math.abs(fitted.slope - slope)).toBeLessThan(0.1);
    expect(Math.abs(fitted.intercept - intercept)).toBeLessThan(0.2);
  });

  test('counts clicks whatever the scale of the evidence', () => {
    const clicks = clicksOf(500, 1.5, -1);
    const scaled = clicks.map(({ evidence, accepted }) => ({
      evidence: evidence * 0.07 + 0.2,
      accepted,
    }));

    const [plain, moved] = [
      fitCalibration(clicks, AS_IS),
      fitCalibration(scaled, { mean: 0.2, deviation: 0.07 }),
    ];

    expect(moved.slope).toBeCloseTo(plain.slope, 6);
    expect(moved.intercept).toBeCloseTo(plain.intercept, 6);
  });

  test.each([true, false])(
    'stays finite and moves the right way when all are accepted: %s',
    (accepted) => {
      const clicks = clicksWith(1000, accepted);

      const fitted = fitCalibration(clicks, AS_IS);

      expect(Number.isFinite(fitted.slope) && Number.isFinite(fitted.intercept)).toBe(true);
      const [before, after] = [fitCalibration([], AS_IS), fitted].map((one) =>
        probabilityOf(0.5, one),
      );
      expect((after ?? 0) > (before ?? 0)).toBe(accepted);
      expect(fitted).toMatchObject(
        accepted ? { accepted: 1000, rejected: 0 } : { accepted: 0, rejected: 1000 },
      );
    },
  );

  test('never makes more evidence less probable, even when clicks say so', () => {
    const upsideDown = clicksOf(1000, -2, 0);

    const fitted = fitCalibration(upsideDown, AS_IS);

    expect(fitted.slope).toBeGreaterThan(0);
    const probabilities = [-5, -1, 0, 1, 5].map((evidence) => probabilityOf(evidence, fitted));
    expect(probabilities).toEqual([...probabilities].sort((a, b) => a - b));
  });

  test('is drawn further from the prior by every further click of a kind', () => {
    const at = (count: number): number =>
      probabilityOf(1, fitCalibration(clicksWith(count, true), AS_IS));

    const rising = [0, 1, 2, 5, 10, 20, 50].map(at);

    expect(rising).toEqual([...rising].sort((a, b) => a - b));
    expect(new Set(rising).size).toBe(rising.length);
  });

  test('counts as calibrated from twenty clicks on', () => {
    const of = (count: number): boolean =>
      isCalibrated(fitCalibration(clicksWith(count, true), AS_IS));

    expect([of(LEAST_CLICKS - 1), of(LEAST_CLICKS)]).toEqual([false, true]);
  });
});

describe('the prior of a vocabulary', () => {
  test('expects a label of few to be shown more often, and one of many as often as usual', () => {
    const intercepts = [1, 10, 30, 56, 20_000].map((size) => priorOf(size).intercept);

    expect(intercepts).toEqual([...intercepts].sort((a, b) => b - a));
    expect(intercepts[0]).toBe(intercepts[1]);
    expect(intercepts[2]).toBeGreaterThan(PRIOR.intercept);
    expect(intercepts.slice(3)).toEqual([PRIOR.intercept, PRIOR.intercept]);
  });
});

describe('what a sample says of evidence', () => {
  test('is what is usual when there is no sample', () => {
    expect(statisticsOf([])).toEqual({ mean: 0, deviation: expect.closeTo(0.07) as unknown });
  });

  test("is the sample's own when that is large", () => {
    const random = new Random('sample');
    const sample = Float32Array.from({ length: 20_000 }, () => 0.1 + 0.03 * random.normal());

    const { mean, deviation } = statisticsOf(sample);

    expect(mean).toBeCloseTo(0.1, 2);
    expect(deviation).toBeCloseTo(0.03, 2);
  });

  test('hardly moves for the photos that show a label among five', () => {
    const { mean, deviation } = statisticsOf([0.4, 0, 0, 0, 0]);

    expect(probabilityOf(0.4, { ...fitCalibration([], { mean, deviation }) })).toBeGreaterThan(0.5);
    expect(probabilityOf(0, { ...fitCalibration([], { mean, deviation }) })).toBeLessThan(0.1);
  });
});
