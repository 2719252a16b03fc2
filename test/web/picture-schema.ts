import { randomUUID } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { GraphQLScalarType, type GraphQLSchema } from 'graphql';
import GraphQLUpload from 'graphql-upload/GraphQLUpload.mjs';
import type { FileUpload } from 'graphql-upload/processRequest.mjs';
import { connection } from './connection.ts';
import { UNRELATED, rank, searchConnection, wordsOf, type Picture } from './pictures.ts';
import type { StandInGenerations } from './stand-in-generations.ts';
import { standInJob } from './stand-in-job-list.ts';
import type { StandInJob, StandInJobs, StandInViewer } from './stand-in-jobs.ts';

const SDL = join(import.meta.dirname, '../../schema');

/** The public schema over what is held in memory. */
export interface Parts {
  readonly pictures: Picture[];
  readonly admitSearch: (what: string, after: string | null) => Promise<void>;
  readonly jobs: StandInJobs;
  readonly generations: StandInGenerations;
}

export async function makeSchema({
  pictures,
  admitSearch,
  jobs,
  generations,
}: Parts): Promise<GraphQLSchema> {
  const pass = { serialize: (value: unknown) => value };
  const find = (id: string): Picture | null => pictures.find((it) => it.id === id) ?? null;
  const inCollection = (name: string): readonly Picture[] => (name === 'demo' ? pictures : []);

  return makeExecutableSchema({
    typeDefs: await readSdl(),
    resolvers: [
      jobs.resolvers,
      generations.resolvers,
      {
        DateTime: new GraphQLScalarType({ name: 'DateTime', ...pass }),
        BigInt: new GraphQLScalarType({ name: 'BigInt', ...pass }),
        JSON: new GraphQLScalarType({ name: 'JSON', ...pass }),
        Upload: GraphQLUpload,
        Query: {
          viewer: (_: unknown, _arguments: unknown, { role }: StandInViewer) => ({
            role,
            keyName: 'laptop',
            keyPrefix: 'slk_abcdefghijkl',
          }),
          collections: () => connection(['demo', 'empty'].map(collection), 100, null),
          images: (_: unknown, { collection: name, first, after }: PageArguments) =>
            connection(inCollection(name), first, after),
          image: (_: unknown, { id }: { id: string }) => find(id),
          search: async (_: unknown, { input, first, after }: SearchArguments) => {
            await admitSearch(input.text, after);
            if (input.generation != null) generations.checkSearchable(input.generation);
            const hits = rank(inCollection(input.collection), wordsOf(input.text));
            const isAnswered = hits.some(({ score }) => score > UNRELATED);
            // Another generation has its own opinion: three of the best ten are others.
            const ranked =
              input.generation === 'g4' ? [...hits.slice(3), ...hits.slice(0, 3)] : hits;
            return searchConnection(isAnswered ? ranked : [], first, after);
          },
          similarImages: async (_: unknown, { imageId, first, after }: SimilarArguments) => {
            await admitSearch(imageId, after);
            const others = pictures.filter(({ id }) => id !== imageId);
            return searchConnection(rank(others, find(imageId)?.words ?? []), first, after);
          },
          classifyImage: (_: unknown, { input: { labels } }: { input: { labels: string[] } }) =>
            labels.map((label, i) => ({ label, score: 0.3 - i / 100, share: 1 / labels.length })),
        },
        Mutation: {
          uploadImages: async (_: unknown, { input }: UploadArguments) => {
            return {
              job: await takeIn(pictures, await Promise.all(input.files), jobs),
              userErrors: [],
            };
          },
        },
        Node: { __resolveType: () => 'Image' },
        Image: {
          collection: () => collection('demo'),
          sha256: () => '0'.repeat(64),
          bytes: ({ bytes }: Picture) => bytes.length,
          format: () => 'JPEG',
          takenAt: () => '2019-05-04T10:30:00.000Z',
          addedAt: () => '2026-11-01T00:00:00.000Z',
          metadata: () => ({ camera: { make: 'Canon', model: 'EOS 80D' } }),
          url: ({ id }: Picture) => `/files/${id}`,
          thumbnailUrl: ({ id }: Picture) => `/files/${id}`,
          tags: () => [],
        },
        Collection: {
          imageCount: ({ name }: { name: string }) => inCollection(name).length,
        },
      },
    ],
  });
}

interface PageArguments {
  readonly collection: string;
  readonly first: number;
  readonly after: string | null;
}
interface SearchArguments {
  readonly input: {
    readonly collection: string;
    readonly text: string;
    readonly generation?: string | null;
  };
  readonly first: number;
  readonly after: string | null;
}
interface SimilarArguments {
  readonly imageId: string;
  readonly first: number;
  readonly after: string | null;
}
interface UploadArguments {
  readonly input: { readonly files: readonly Promise<FileUpload>[] };
}

function collection(name: string): object {
  return { id: `collection-${name}`, name, description: '' };
}

function failure(path: string): object {
  return { id: path, path, reasonCode: 'NOT_AN_IMAGE', message: 'No image of an allowed format.' };
}

/** The job of an upload is over when it is asked for. */
async function takeIn(
  pictures: Picture[],
  files: readonly FileUpload[],
  jobs: StandInJobs,
): Promise<StandInJob> {
  const failures: object[] = [];
  for (const { filename, createReadStream } of files) {
    const parts: Buffer[] = [];
    for await (const part of createReadStream()) parts.push(part as Buffer);
    const bytes = Buffer.concat(parts);
    if (bytes.subarray(0, 2).toString('hex') === 'ffd8') {
      const picture = { id: `upload-${filename}`, path: `uploads/${filename}`, bytes };
      pictures.push({ ...picture, words: wordsOf(filename), width: 320, height: 213 });
    } else {
      failures.push(failure(`uploads/${filename}`));
    }
  }
  const [total, failed] = [files.length, failures.length];
  const over = { state: 'SUCCEEDED', done: total - failed, failed, failures };
  const job = standInJob({ id: `upload-${randomUUID()}`, state: 'RUNNING', total, next: over });
  jobs.add(job);
  return job;
}

async function readSdl(): Promise<string[]> {
  const names = (await readdir(SDL)).filter((name) => name.endsWith('.graphql'));
  return Promise.all(names.map((name) => readFile(join(SDL, name), 'utf8')));
}
