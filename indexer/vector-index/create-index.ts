import { availableParallelism } from 'node:os';
import { PlatformError } from '../../platform/errors.ts';
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
 * Opens an index in its own thread. Throws `INDEX_UNAVAILABLE` when the engine is not installed, `INVALID_CONFIG` for numbers
 * no index can have. What is wrong with a snapshot never throws: the file is moved aside, `restored` says why, and the index
 * is empty.
 */
export async function createIndex(
  options: CreateIndexOptions,
): Promise<{ readonly index: ThreadIndex; readonly restored: Restored }> {
  const { dimensions, fingerprint, snapshot = null } = options;
  const engine = chooseEngine(options.engine, options.expectedCount);
  const threads = availableParallelism();
  const graph = { ...DEFAULT_GRAPH_SETTINGS, threads, ...options.graph };
  checkRange('dimensions', dimensions, 65_536);
  checkRange('m', graph.m, 512);
  checkRange('efConstruction', graph.efConstruction, 10_000);
  checkRange('threads', graph.threads, 1024);
  return ThreadIndex.open({ engine, dimensions, fingerprint, graph }, snapshot);
}

function checkRange(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  const reason = `An index's "${name}" must be a whole number from 1 to ${most}, not ${value}.`;
  throw new PlatformError('INVALID_CONFIG', reason);
}
