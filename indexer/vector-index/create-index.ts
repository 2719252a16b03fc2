import { availableParallelism } from 'node:os';
import {
  chooseEngine,
  DEFAULT_GRAPH_SETTINGS,
  type EngineSetting,
  type GraphSettings,
} from './engines.ts';
import type { Restored } from './snapshot.ts';
import { ThreadIndex } from './thread-index.ts';

export interface CreateIndexOptions {
  /** `auto`: exact up to 50,000 expected vectors, usearch above. */
  readonly engine: EngineSetting;
  readonly dimensions: number;
  /** Of the vision space. A snapshot of another one is not used. */
  readonly fingerprint: string;
  /** Vectors it is going to hold; `auto` decides by it, once. */
  readonly expectedCount: number;
  /** Where `save` wrote it last; no file is fine. */
  readonly snapshot?: string;
  readonly graph?: Partial<GraphSettings>;
}

/**
 * Opens an index in its own thread. Throws `INDEX_UNAVAILABLE` when the engine is not installed. What is wrong with a
 * snapshot never throws: the file is moved aside, `restored` says why, and the index is empty.
 */
export function createIndex(
  options: CreateIndexOptions,
): Promise<{ readonly index: ThreadIndex; readonly restored: Restored }> {
  const { dimensions, fingerprint, snapshot = null } = options;
  const engine = chooseEngine(options.engine, options.expectedCount);
  const threads = availableParallelism();
  const graph = { ...DEFAULT_GRAPH_SETTINGS, threads, ...options.graph };
  return ThreadIndex.open({ engine, dimensions, fingerprint, graph }, snapshot);
}
