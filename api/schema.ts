import { readdir, readFile } from 'node:fs/promises';
import { makeExecutableSchema } from '@graphql-tools/schema';
import type { GraphQLSchema } from 'graphql';
import { guardSchema } from './auth/permissions.ts';
import { resolvers } from './resolvers/index.ts';

const FOLDER = new URL('../schema/', import.meta.url);

/** The SDL of schema/, its files joined by name. */
export async function readTypeDefinitions(): Promise<string> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.graphql')).sort();
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, FOLDER), 'utf8')));
  return texts.join('\n');
}

/** Executable, with every operation behind its permission. */
export async function createSchema(): Promise<GraphQLSchema> {
  const schema = makeExecutableSchema({
    typeDefs: await readTypeDefinitions(),
    resolvers,
    resolverValidationOptions: {
      requireResolversToMatchSchema: 'error',
      requireResolversForResolveType: 'error',
    },
  });
  return guardSchema(schema);
}
