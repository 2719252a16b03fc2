import { expect, test } from '@jest/globals';
import { requireHnswlib } from '../../../indexer/vector-index/hnswlib-index.ts';
import { withCode } from '../../support/errors.ts';
import { openIndex } from '../../support/vector-indexes.ts';
import { vectorIndexContract } from './contract.ts';

if (requireHnswlib() === null) {
  test('without a build the message says how to make one', async () => {
    const opening = openIndex('hnswlib', 4);

    await expect(opening).rejects.toMatchObject(withCode('INDEX_UNAVAILABLE'));
    await expect(opening).rejects.toThrow('npm run build:hnswlib');
  });
  test.skip('hnswlib-node is not built (npm run build:hnswlib): its contract was not tested', () => undefined); // prettier-ignore
} else {
  vectorIndexContract('hnswlib', true);
}
