import type { EngineName, GraphSettings } from './engines.ts';
import type { LocalSearchOptions } from './local-index.ts';
import type { Restored } from './snapshot.ts';
import type { Neighbors } from './vector-index.ts';

export interface IndexSettings {
  readonly engine: EngineName;
  readonly dimensions: number;
  /** Of the vision space the vectors belong to. */
  readonly fingerprint: string;
  readonly graph: GraphSettings;
}

export type IndexRequest =
  | { readonly kind: 'open'; readonly settings: IndexSettings; readonly snapshot: string | null }
  | { readonly kind: 'add'; readonly ids: BigUint64Array; readonly vectors: Float32Array }
  | { readonly kind: 'remove'; readonly ids: BigUint64Array }
  | {
      readonly kind: 'search';
      readonly query: Float32Array;
      readonly k: number;
      readonly options: LocalSearchOptions;
    }
  | { readonly kind: 'save'; readonly path: string; readonly lastSeq: bigint };

export type IndexResponse =
  | { readonly kind: 'opened'; readonly size: number; readonly restored: Restored }
  | { readonly kind: 'found'; readonly neighbors: Neighbors }
  | { readonly kind: 'written'; readonly size: number; readonly tookMs: number };
