import { expect, test } from '@jest/globals';
import { Closers } from '../../platform/closers.ts';

test('what was opened last is closed first, each once', async () => {
  const closed: string[] = [];
  const closers = new Closers();
  closers.add(() => void closed.push('first'));
  closers.add(() => void closed.push('second'));

  await closers.close();
  await closers.close();

  expect(closed).toEqual(['second', 'first']);
});

test('a failing close does not keep the others open', async () => {
  const closed: string[] = [];
  const closers = new Closers();
  closers.add(() => void closed.push('first'));
  closers.add(() => {
    throw new Error('stuck');
  });

  await expect(closers.close()).rejects.toThrow(AggregateError);
  expect(closed).toEqual(['first']);
});
