/** The thread that owns one index. Started by `ThreadIndex`, which opens the index with its first request. */
import { PlatformError } from '../../platform/errors.ts';
import { serveWorker } from '../../platform/worker-service.ts';
import type { IndexRequest, IndexResponse, IndexSettings } from './index-protocol.ts';
import type { LocalIndex } from './local-index.ts';
import { openLocalIndex, restoreLocalIndex, saveLocalIndex } from './open-local-index.ts';

interface Opened {
  readonly index: LocalIndex;
  readonly settings: IndexSettings;
}

let opened: Opened | null = null;

async function handle(request: IndexRequest): Promise<IndexResponse> {
  if (request.kind === 'open') return open(request);
  // A thread that replaces a dead one holds nothing; it must not answer as if nothing were there to find.
  if (opened === null) throw new PlatformError('INDEX_UNAVAILABLE', 'The index lost its thread.');
  const { index, settings } = opened;
  const start = performance.now();
  switch (request.kind) {
    case 'add':
      index.add(request.ids, request.vectors);
      break;
    case 'remove':
      index.remove(request.ids);
      break;
    case 'save':
      saveLocalIndex(index, request.path, settings, request.lastSeq);
      break;
    case 'search': {
      const { query, k, options } = request;
      return { kind: 'found', neighbors: index.search(query, k, options) };
    }
  }
  return { kind: 'written', size: index.rows.size, tookMs: performance.now() - start };
}

async function open({
  settings,
  snapshot,
}: Extract<IndexRequest, { kind: 'open' }>): Promise<IndexResponse> {
  const { index, restored } =
    snapshot === null
      ? { index: await openLocalIndex(settings), restored: { outcome: 'NONE' } as const }
      : await restoreLocalIndex(snapshot, settings);
  opened = { index, settings };
  return { kind: 'opened', size: index.rows.size, restored };
}

await serveWorker<IndexRequest, IndexResponse>(() =>
  Promise.resolve({
    handle: async (request) => ({ response: await handle(request) }),
    close: () => Promise.resolve(),
  }),
);
