import { reportTags } from '../../../indexer/tagging/report.ts';
import { getVocabulary } from '../../../store/vocabularies.ts';
import { getVisibleCollection } from '../../auth/visible.ts';
import type { QueryResolvers } from '../../generated/resolvers.ts';

export const tagReport: NonNullable<QueryResolvers['tagReport']> = async (
  _parent,
  { collection: name, vocabulary },
  context,
) => {
  const { pool } = context.services.database;
  const collection = await getVisibleCollection(context, name);
  const of = vocabulary == null ? null : (await getVocabulary(pool, vocabulary)).id;
  return reportTags(pool, collection, of);
};
