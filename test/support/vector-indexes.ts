import { afterEach } from '@jest/globals';
import type { EngineName, GraphSettings } from '../../indexer/vector-index/engines.ts';
import { createIndex, type CreateIndexOptions } from '../../indexer/vector-index/create-index.ts';
import type { ThreadIndex } from '../../indexer/vector-index/thread-index.ts';
import type { Vectors } from './vectors.ts';

/** Small enough that a test's few thousand vectors reach the graph. */
export const TEST_GRAPH: Partial<GraphSettings> = { exactUnder: 200, threads: 2 };

const open: ThreadIndex[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((index) => index.close()));
});

/** An index that is closed after the test, and what came of its snapshot. */
export async function openIndex(
  engine: EngineName,
  dimensions: number,
  overrides: Partial<CreateIndexOptions> = {},
): ReturnType<typeof createIndex> {
  const opened = await createIndex({
    engine,
    dimensions,
    fingerprint: 'space a',
    expectedCount: 0,
    graph: TEST_GRAPH,
    ...overrides,
  });
  open.push(opened.index);
  return opened;
}

export async function indexWith(engine: EngineName, vectors: Vectors): Promise<ThreadIndex> {
  const { index } = await openIndex(engine, vectors.dimensions);
  await index.add(vectors.ids, vectors.rows);
  return index;
}
