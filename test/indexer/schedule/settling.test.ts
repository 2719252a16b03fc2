import { describe, expect, test } from '@jest/globals';
import { patienceSeconds, Settling } from '../../../indexer/schedule/settling.ts';
import { secondsLater } from '../../support/rows.ts';

describe('changes', () => {
  test('are due when nothing has changed for the settle time', () => {
    const changes = new Settling();
    changes.touch(secondsLater(0));
    changes.touch(secondsLater(4));

    expect(changes.isDue(secondsLater(8), 5)).toBe(false);
    expect(changes.isDue(secondsLater(9), 5)).toBe(true);
  });

  test('that never end are due at last, and once seen they begin anew', () => {
    const changes = new Settling();
    const dueAfter = (first: number, settleSeconds: number): number => {
      for (let second = first; second < first + 1000; second++) {
        changes.touch(secondsLater(second));
        if (changes.isDue(secondsLater(second), settleSeconds)) return second - first;
      }
      return Infinity;
    };

    expect(dueAfter(0, 10)).toBe(120);
    changes.clear();
    expect(dueAfter(500, 10)).toBe(120);
    changes.clear();
    expect(dueAfter(2000, 2)).toBe(60);
  });

  test('are due at once where nothing settles, and never where there are none', () => {
    const changes = new Settling();

    expect(changes.isDue(secondsLater(1000), 0)).toBe(false);
    changes.touch(secondsLater(1000));
    expect(changes.isDue(secondsLater(1000), 0)).toBe(true);
    changes.clear();
    expect(changes.isPending).toBe(false);
  });
});

test('patience is twelve settle times and at least a minute', () => {
  expect([0, 5, 10, 3600].map(patienceSeconds)).toEqual([60, 60, 120, 43_200]);
});
