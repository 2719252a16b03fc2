import { rmSync } from 'node:fs';
import { ExactIndex } from './exact-index.ts';
import { GraphIndex } from './graph-index.ts';
import { HnswlibGraph, requireHnswlib } from './hnswlib-index.ts';
import type { IndexSettings } from './index-protocol.ts';
import type { LocalIndex } from './local-index.ts';
import {
  restoreSnapshot,
  scratchFile,
  writeSnapshot,
  type Restored,
  type SnapshotContent,
  type SnapshotIdentity,
} from './snapshot.ts';
import { importUsearch, UsearchGraph, usearchScan } from './usearch-index.ts';

/** An empty index in this thread. Throws `INDEX_UNAVAILABLE` when the engine is not installed. */
export async function openLocalIndex(settings: IndexSettings): Promise<LocalIndex> {
  const { engine, dimensions, graph } = settings;
  const usearch = await importUsearch();
  const exact = new ExactIndex(dimensions, usearch && usearchScan(usearch));
  const parts = { exact, exactUnder: graph.exactUnder };
  switch (engine) {
    case 'exact':
      return exact;
    case 'usearch':
      return new GraphIndex({
        ...parts,
        engine,
        graph: new UsearchGraph(usearch, dimensions, graph),
      });
    case 'hnswlib': {
      const hnswlib = new HnswlibGraph(requireHnswlib(), dimensions, graph);
      return new GraphIndex({ ...parts, engine, graph: hnswlib });
    }
  }
}

/** An index from a snapshot, or an empty one and the reason. */
export async function restoreLocalIndex(
  path: string,
  settings: IndexSettings,
): Promise<{ readonly index: LocalIndex; readonly restored: Restored }> {
  const index = await openLocalIndex(settings);
  const restored = restoreSnapshot(path, identityOf(settings), (content) => {
    // The graph first: if its loader refuses the file, nothing is filled yet.
    const { ids, vectors, beside, graphFile } = content;
    if (graphFile !== null && ids.length > 0) index.graph?.load(graphFile, beside);
    index.rows.put(ids, vectors);
  });
  if (restored.outcome !== 'QUARANTINED') return { index, restored };
  return { index: await openLocalIndex(settings), restored };
}

export function saveLocalIndex(
  index: LocalIndex,
  path: string,
  settings: IndexSettings,
  lastSeq: bigint,
): void {
  const { ids, vectors } = index.rows;
  const graphFile = index.graph === null || ids.length === 0 ? null : scratchFile(path);
  try {
    const beside = graphFile === null ? undefined : index.graph?.save(graphFile);
    const content: SnapshotContent = {
      lastSeq,
      ids,
      vectors,
      beside: beside ?? new Uint8Array(0),
      graphFile,
    };
    writeSnapshot(path, identityOf(settings), content);
  } finally {
    if (graphFile !== null) rmSync(graphFile, { force: true });
  }
}

function identityOf({ engine, dimensions, fingerprint, graph }: IndexSettings): SnapshotIdentity {
  const build =
    engine === 'exact' ? 'none' : `m ${graph.m}, efConstruction ${graph.efConstruction}`;
  return { engine, dimensions, fingerprint, build };
}
