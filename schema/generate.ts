import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codegen } from '@graphql-codegen/core';
import * as typescript from '@graphql-codegen/typescript';
import * as operations from '@graphql-codegen/typescript-operations';
import * as resolvers from '@graphql-codegen/typescript-resolvers';
import { Source, parse, type DocumentNode } from 'graphql';
import { MAPPERS } from './mappers.ts';

/** `npm run generate`: types of the resolvers (api/) and of the page's operations (web/), from the SDL beside this file. */

const ROOT = join(import.meta.dirname, '..');
const PLUGINS = { typescript, operations, resolvers };

const schema = await readDocuments('schema');

await generate({
  file: 'api/generated/resolvers.ts',
  documents: [],
  plugins: ['typescript', 'resolvers'],
  config: {
    contextType: '../context.ts#Context',
    mappers: MAPPERS,
    scalars: {
      DateTime: 'Date',
      BigInt: 'number',
      JSON: 'unknown',
      Upload: "Promise<import('graphql-upload/processRequest.mjs').FileUpload>",
    },
  },
});

await generate({
  file: 'web/src/generated/operations.ts',
  documents: await readDocuments('web/src/graphql'),
  plugins: ['operations'],
  config: {
    immutableTypes: true,
    arrayInputCoercion: false,
    scalars: {
      ID: 'string',
      DateTime: 'string',
      BigInt: 'number',
      JSON: 'unknown',
      Upload: 'File',
    },
  },
});

interface Output {
  readonly file: string;
  readonly documents: readonly Document[];
  readonly plugins: readonly (keyof typeof PLUGINS)[];
  readonly config: Readonly<Record<string, unknown>>;
}

interface Document {
  readonly location: string;
  readonly document: DocumentNode;
}

async function generate({ file, documents, plugins, config }: Output): Promise<void> {
  const code = await codegen({
    filename: file,
    schema: merge(schema),
    documents: [...documents],
    plugins: plugins.map((name) => ({ [name]: {} })),
    pluginMap: PLUGINS,
    config: {
      useTypeImports: true,
      enumsAsTypes: true,
      inputMaybeValue: 'T | null | undefined',
      defaultScalarType: 'unknown',
      ...config,
    },
  });
  await writeIfChanged(join(ROOT, file), `${code.trim()}\n`);
}

async function readDocuments(folder: string): Promise<readonly Document[]> {
  const names = (await readdir(join(ROOT, folder))).filter((name) => name.endsWith('.graphql'));
  return Promise.all(
    names.sort().map(async (name) => {
      const location = `${folder}/${name}`;
      const text = await readFile(join(ROOT, location), 'utf8');
      return { location, document: parse(new Source(text, location)) };
    }),
  );
}

function merge(documents: readonly Document[]): DocumentNode {
  return parse(documents.map(({ document }) => document.loc?.source.body ?? '').join('\n'));
}

/** Leaves the file's time alone when nothing changed, so that watchers and caches rest. */
async function writeIfChanged(path: string, content: string): Promise<void> {
  const before = await readFile(path, 'utf8').catch(() => null);
  if (before === content) return;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}
