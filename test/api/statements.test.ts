import { beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { normalize } from '../../models/embedding.ts';
import { Random } from '../../platform/random.ts';
import { recordIndexed } from '../../store/changes.ts';
import { getCollection } from '../../store/collections.ts';
import { addEmbeddings } from '../../store/embeddings.ts';
import { putImages } from '../../store/images.ts';
import { inTransaction } from '../../store/transaction.ts';
import { useApi, valuesAt, type TestApi } from '../support/api.ts';
import { imageWith } from '../support/rows.ts';

let api: TestApi;

beforeAll(async () => {
  api = await useApi();
  await storeCollection('five', 5);
  await storeCollection('hundred', 100);
});

/** A collection with that many rows and random embeddings, as an ingest leaves it. */
async function storeCollection(name: string, count: number): Promise<void> {
  await api.query(
    'mutation ($name: String!) { createCollection(input: { name: $name }) { userErrors { code } } }',
    {
      variables: { name },
    },
  );
  const { database, registered } = api.services;
  const { id: visionSpaceId, dimensions } = registered.visionSpace;
  const { id: collectionId } = await getCollection(database.prisma, name);
  const random = new Random(name);
  const images = Array.from({ length: count }, (_, i) => imageWith({ content: `${name} ${i}` }));
  const vectors = images.flatMap(() => [
    ...normalize(Float32Array.from({ length: dimensions }, () => random.uniform() - 0.5)),
  ]);
  await inTransaction(database.pool, async (client) => {
    const ids = await putImages(client, collectionId, images);
    const sha256s = images.map(({ sha256 }) => sha256);
    await addEmbeddings(client, { visionSpaceId, sha256s, vectors: Float32Array.from(vectors) });
    await recordIndexed(client, { collectionId, visionSpaceId }, ids);
  });
  await api.caughtUp(name);
}

const NODE = `node {
  id path url thumbnailUrl
  collection { name imageCount generation { number images visionSpace { name } } textModel { name } sources { name } }
  embedding { createdAt visionSpace { name } values }
  tags { label tagRun { state } }
}`;
const IMAGES = `query ($name: String!) {
  images(collection: $name, first: 100) { totalCount edges { ${NODE} } pageInfo { endCursor } }
}`;
const SEARCH = `query ($name: String!) {
  search(input: { collection: $name, text: "a" }, first: 100) {
    generation { number } textModel { name } edges { score ${NODE} }
  }
}`;

const LABELS = `query ($name: String!) { vocabulary(name: $name) {
  labelCount labels(first: 1000) { totalCount edges { node { id name parents { name vocabulary { labelCount } } vocabulary { name version } examples { id } } } }
} }`;

test('a page of labels takes the same statements, however many are on it', async () => {
  for (const [name, count] of [
    ['five', 5],
    ['hundred', 100],
  ] as const) {
    const labels = Array.from({ length: count }, (_, i) => ({
      ...{ name: `label ${i}`, parents: i === 0 ? [] : ['label 0'] },
    }));
    await api.query(
      'mutation ($input: PutVocabularyInput!) { putVocabulary(input: $input) { changed } }',
      { variables: { input: { name, labels } } },
    );
  }
  await statementsOf(LABELS, 'five', 'vocabulary.labels');

  const few = await statementsOf(LABELS, 'five', 'vocabulary.labels');
  const many = await statementsOf(LABELS, 'hundred', 'vocabulary.labels');

  expect(many.statements).toEqual(few.statements);
  expect(many.statements).toHaveLength(8); // two of them find the key
});

test.each([
  ['images', IMAGES, 13],
  ['search', SEARCH, 12],
])(
  'a page of %s takes the same statements, however many images are on it',
  async (name, document, count) => {
    await statementsOf(document, 'five', name); // opens connections, notes the key's use

    const few = await statementsOf(document, 'five', name);
    const many = await statementsOf(document, 'hundred', name);

    expect(few.images).toBe(5);
    expect(many.images).toBe(100);
    expect(many.statements).toEqual(few.statements);
    expect(many.statements).toHaveLength(count);
  },
);

interface Asked {
  readonly statements: readonly string[];
  readonly images: number;
}

/** What a request asks of Postgres. The least of some, because the process also asks by itself now and then. */
async function statementsOf(document: string, collection: string, list: string): Promise<Asked> {
  let least = await statementsOnce(document, collection, list);
  for (let i = 1; i < 3; i++) {
    const next = await statementsOnce(document, collection, list);
    if (next.statements.length < least.statements.length) least = next;
  }
  return least;
}

async function statementsOnce(document: string, collection: string, list: string): Promise<Asked> {
  const statements: string[] = [];
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its client below
  const original = pg.Client.prototype.query;
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]): unknown {
    statements.push(sqlOf(args[0]));
    return Reflect.apply(original, this, args);
  } as typeof original;
  try {
    const answer = await api.query(document, { variables: { name: collection } });
    expect(answer.codes).toEqual([]);
    const images = valuesAt(answer, `${list}.edges.node.embedding.createdAt`).length;
    return { statements: statements.filter((sql) => !isFollowers(sql)).sort(), images };
  } finally {
    pg.Client.prototype.query = original;
  }
}

/** Without the placeholders of a list, of which there are as many as values. */
function sqlOf(statement: unknown): string {
  const text =
    typeof statement === 'object' && statement !== null && 'text' in statement
      ? statement.text
      : statement;
  return String(text)
    .replace(/\s+/g, ' ')
    .replace(/\$\d+(,\$\d+)*/g, '$');
}

function isFollowers(sql: string): boolean {
  return /FROM index_entries c LEFT JOIN|LISTEN/.test(sql);
}
