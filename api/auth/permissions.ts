import { isObjectType, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import type { Context } from '../context.ts';
import { requirePermission, type Permission } from './viewer.ts';

const READER: Permission = { role: 'READER' };
const CURATOR: Permission = { role: 'CURATOR' };
const CURATOR_OF_ALL: Permission = { role: 'CURATOR', allCollections: true };
const ADMIN: Permission = { role: 'ADMIN' };
const ADMIN_OF_ALL: Permission = { role: 'ADMIN', allCollections: true };

/** What each operation needs. One that isn't here can't be called at all: the schema doesn't build. */
export const PERMISSIONS: Readonly<Record<string, Permission>> = {
  'Query.apiKeys': ADMIN_OF_ALL,
  'Query.classifyImage': READER,
  'Query.classifyImages': READER,
  'Query.collection': READER,
  'Query.collections': READER,
  'Query.generations': READER,
  'Query.image': READER,
  'Query.images': READER,
  'Query.indexHealth': READER,
  'Query.job': CURATOR,
  'Query.jobs': CURATOR,
  'Query.node': READER,
  'Query.nodes': READER,
  'Query.previewLabel': CURATOR,
  'Query.reviewQueue': CURATOR,
  'Query.search': READER,
  'Query.similarImages': READER,
  'Query.tagReport': READER,
  'Query.tagRuns': READER,
  'Query.textModels': READER,
  'Query.viewer': READER,
  'Query.visionSpaces': READER,
  'Query.vocabularies': READER,
  'Query.vocabulary': READER,
  'Mutation.addSource': ADMIN,
  'Mutation.cancelJob': ADMIN,
  'Mutation.createApiKey': ADMIN_OF_ALL,
  'Mutation.createCollection': ADMIN_OF_ALL,
  'Mutation.deleteCollection': ADMIN,
  'Mutation.deleteImages': CURATOR,
  'Mutation.deleteVocabulary': ADMIN_OF_ALL,
  'Mutation.discardGeneration': ADMIN,
  'Mutation.importVocabulary': CURATOR_OF_ALL,
  'Mutation.pauseJob': ADMIN,
  'Mutation.previewTagRun': CURATOR,
  'Mutation.promoteGeneration': ADMIN,
  'Mutation.putVocabulary': CURATOR_OF_ALL,
  'Mutation.resumeJob': ADMIN,
  'Mutation.retryFailedItems': ADMIN,
  'Mutation.revertTagRun': CURATOR,
  'Mutation.reviewTags': CURATOR,
  'Mutation.revokeApiKey': ADMIN_OF_ALL,
  'Mutation.rollbackGeneration': ADMIN,
  'Mutation.setTags': CURATOR,
  'Mutation.startIngest': ADMIN,
  'Mutation.startReindex': ADMIN,
  'Mutation.startSnapshot': ADMIN,
  'Mutation.startTagRun': CURATOR,
  'Mutation.startVerify': ADMIN,
  'Mutation.updateSource': ADMIN,
  'Mutation.uploadImages': CURATOR,
  'Subscription.jobProgress': CURATOR,
};

/**
 * Puts the check of `PERMISSIONS` before every operation. Throws when an operation has none: closed by default is a property of
 * the schema, not of each resolver's author.
 */
export function guardSchema(schema: GraphQLSchema): GraphQLSchema {
  for (const type of rootTypes(schema)) {
    for (const [name, field] of Object.entries(type.getFields())) {
      const coordinate = `${type.name}.${name}`;
      const permission = PERMISSIONS[coordinate];
      if (permission === undefined) throw new Error(`${coordinate} has no row in PERMISSIONS.`);
      const part = type.name === 'Subscription' ? 'subscribe' : 'resolve';
      const inner = field[part];
      if (inner === undefined) throw new Error(`${coordinate} has no resolver.`);
      field[part] = (source, args, context: Context, info): unknown => {
        requirePermission(context.viewer, permission);
        return inner(source, args, context, info);
      };
    }
  }
  return schema;
}

export function rootTypes(schema: GraphQLSchema): readonly GraphQLObjectType[] {
  return [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].filter(
    (type) => isObjectType(type),
  );
}
