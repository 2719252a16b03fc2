import { parseArgs } from 'node:util';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from '../../store/database.ts';
import { addEmbeddings } from '../../store/embeddings.ts';
import { migrate } from '../../store/migrate.ts';
import { inTransaction } from '../../store/transaction.ts';
import { newIndex, sha256Of } from '../support/rows.ts';
import { Random } from '../../platform/random.ts';
import { chunk } from '../../platform/chunk.ts';

/**
 * How writing embeddings compares with Prisma's `createMany`: `tsx test/bench/store.ts`.
 * Uses DATABASE_URL's server (an empty database) or an embedded one in a temporary folder.
 */
const { values } = parseArgs({
  options: { rows: { type: 'string' }, dimensions: { type: 'string' } },
});
const rows = Number(values.rows ?? 10_000);
const dimensions = Number(values.dimensions ?? 1280);

async function measure(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

const folder = await mkdtemp(join(tmpdir(), 'sharelock-bench-'));
const database = await Database.open({
  url: process.env['DATABASE_URL'] ?? null,
  dataFolder: folder,
});
try {
  const { pool, prisma } = database;
  await migrate(pool);
  const key = await newIndex(database);
  const random = new Random('bench');
  const vectors = Float32Array.from({ length: rows * dimensions }, () => random.uniform() - 0.5);
  const hashes = (name: string): Buffer[] =>
    Array.from({ length: rows }, (_, i) => sha256Of(`${name} ${i}`));
  const rowOf = (i: number): Uint8Array<ArrayBuffer> =>
    new Uint8Array(vectors.buffer, i * dimensions * 4, dimensions * 4);

  const theirs = hashes('createMany').map((sha256, i) => ({
    ...{ visionSpaceId: key.visionSpaceId, sha256: Uint8Array.from(sha256), vector: rowOf(i) },
  }));
  const createMany = await measure(async () => {
    for (const data of chunk(theirs, 500)) await prisma.embedding.createMany({ data });
  });
  const sha256s = hashes('ours');
  const add = await measure(() =>
    inTransaction(pool, (client) =>
      addEmbeddings(client, { visionSpaceId: key.visionSpaceId, sha256s, vectors }),
    ),
  );

  console.log(`${rows} embeddings of ${dimensions} dimensions`);
  console.log(`write: createMany ÷ addEmbeddings = ${(createMany / add).toFixed(1)}`);
} finally {
  await database.close();
  await rm(folder, { recursive: true, force: true });
}
