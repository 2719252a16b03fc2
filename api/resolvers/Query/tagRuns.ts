import { z } from 'zod';
import { asTagRunId } from '../../../store/ids.ts';
import { countTagRuns, listTagRuns } from '../../../store/tag-runs.ts';
import { getVocabulary } from '../../../store/vocabularies.ts';
import { getVisibleCollection } from '../../auth/visible.ts';
import { paginate } from '../../connections.ts';
import type { QueryResolvers } from '../../generated/resolvers.ts';

export const tagRuns: NonNullable<QueryResolvers['tagRuns']> = async (
  _parent,
  { collection, vocabulary, ...page },
  context,
) => {
  const { pool } = context.services.database;
  const { id: collectionId } = await getVisibleCollection(context, collection);
  const named = typeof vocabulary === 'string' ? await getVocabulary(pool, vocabulary) : null;
  const filter = { collectionId, vocabularyId: named?.id ?? null };
  return paginate(page, {
    ...{ kind: `tag runs ${collectionId}`, key: z.uuid(), keyOf: ({ id }) => id },
    read: ({ after, limit }) =>
      listTagRuns(pool, filter, { after: after === null ? null : asTagRunId(after), limit }),
    count: () => countTagRuns(pool, filter),
  });
};
