import { PlatformError } from '../../../platform/errors.ts';
import type { QueryResolvers } from '../../generated/resolvers.ts';

export const previewLabel: NonNullable<QueryResolvers['previewLabel']> = () => {
  throw new PlatformError('BAD_USER_INPUT', 'Not built yet.');
};
