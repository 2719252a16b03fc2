import { z } from 'zod';
import {
  countVocabularies,
  findVocabulary,
  listVocabularies,
} from '../../../store/vocabularies.ts';
import { paginate } from '../../connections.ts';
import type { QueryResolvers } from '../../generated/resolvers.ts';

export const vocabularies: NonNullable<QueryResolvers['vocabularies']> = (
  _parent,
  page,
  { services },
) => {
  const { pool } = services.database;
  return paginate(page, {
    kind: 'vocabularies',
    key: z.string().max(200),
    keyOf: ({ name }) => name,
    read: (part) => listVocabularies(pool, part),
    count: () => countVocabularies(pool),
  });
};

export const vocabulary: NonNullable<QueryResolvers['vocabulary']> = (
  _parent,
  { name },
  { services },
) => findVocabulary(services.database.pool, name);
