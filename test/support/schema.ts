import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, type GraphQLSchema } from 'graphql';
import { rootPath } from './bundles.ts';

/** The public schema, without resolvers. */
export function publicSchema(): GraphQLSchema {
  const folder = rootPath('schema');
  const files = readdirSync(folder).filter((name) => name.endsWith('.graphql'));
  return buildSchema(files.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n'));
}
