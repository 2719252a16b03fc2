/** The engines there are; `milvus` will be one more. */
export const ENGINE_NAMES = ['exact', 'usearch', 'hnswlib'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** What `VECTOR_ENGINE` may say. */
export const ENGINE_SETTINGS = ['auto', ...ENGINE_NAMES] as const;
export type EngineSetting = (typeof ENGINE_SETTINGS)[number];

/** Up to this many vectors `auto` compares with all: some 3 ms of 384 dimensions, and nothing can be missed. */
export const AUTO_EXACT_LIMIT = 50_000;

export function chooseEngine(
  setting: EngineSetting,
  expectedCount: number,
  exactLimit = AUTO_EXACT_LIMIT,
): EngineName {
  if (setting !== 'auto') return setting;
  return expectedCount <= exactLimit ? 'exact' : 'usearch';
}

/** How a graph is built and searched. A snapshot of other build settings is not loaded. */
export interface GraphSettings {
  /** Links a node. Higher: better recall on hard data, more memory (about 10 bytes each a vector), slower builds. Useful: 8 to 48. */
  readonly m: number;
  /** Candidates kept while building. Higher: better recall, slower builds. Useful: 64 to 400. */
  readonly efConstruction: number;
  /** Allowed sets up to this size are compared one by one: some 0.4 us each. Useful: 1,000 to 50,000. */
  readonly exactUnder: number;
  /** Threads that add. usearch only; hnswlib-node has one. */
  readonly threads: number;
}

export const DEFAULT_EF = 256;

export const DEFAULT_GRAPH_SETTINGS: Omit<GraphSettings, 'threads'> = {
  m: 16,
  efConstruction: 128,
  exactUnder: 10_000,
};
