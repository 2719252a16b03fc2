import { listApiKeys } from '../../../store/api-keys.ts';
import type { QueryResolvers } from '../../generated/resolvers.ts';

export const apiKeys: NonNullable<QueryResolvers['apiKeys']> = async (
  _parent,
  _args,
  { services },
) => [...(await listApiKeys(services.database.prisma))];
