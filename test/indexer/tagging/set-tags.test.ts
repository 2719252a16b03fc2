import { expect, test } from '@jest/globals';
import { setTags } from '../../../indexer/tagging/set-tags.ts';
import { asImageId } from '../../../store/ids.ts';
import { findTagsOf } from '../../../store/image-tags.ts';
import { replaceImportedTags } from '../../../store/imported-tags.ts';
import { inTransaction } from '../../../store/transaction.ts';
import { ensureKeywords, KEYWORDS } from '../../../store/vocabularies.ts';
import { useDatabase } from '../../support/database.ts';
import { freshName, indexed, newIndex } from '../../support/rows.ts';
import { untilSomebodyWaits } from '../../support/waiting.ts';

const database = await useDatabase();
const { pool } = database;

test('who types a new keyword waits for who imports it for the same image, and not in a circle', async () => {
  const key = await newIndex(database);
  const [id = asImageId(0n)] = await indexed(database, key, [freshName('picture')]);
  const keyword = freshName('zebra');
  await ensureKeywords(pool);

  const { typing } = await inTransaction(pool, async (client) => {
    await client.query('SELECT FROM images WHERE id = $1 FOR UPDATE', [id]); // as who indexes it
    const typing = setTags(pool, {
      ...{ imageIds: [id], vocabulary: KEYWORDS, add: [keyword], remove: [] },
      ...{ decidedBy: 'test', now: new Date() },
    });
    await Promise.race([typing, untilSomebodyWaits(pool)]);
    await replaceImportedTags(client, [{ imageId: id, keywords: [keyword] }]);
    return { typing };
  });

  await typing;
  expect((await findTagsOf(pool, [id])).get(id)).toMatchObject([
    { label: keyword, state: 'ACCEPTED', source: 'MANUAL' },
  ]);
});
