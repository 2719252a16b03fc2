/**
 * An approximate graph over ids, as an engine gives it. Whoever holds one keeps the vectors and the promises below; native
 * code trusts what it is given.
 */
export interface Graph {
  /** Adds ids that aren't there, each once; vectors row-major, finite. */
  add(ids: BigUint64Array, vectors: Float32Array): void;
  /** Removes ids that are there, each once. */
  remove(ids: BigUint64Array): void;
  /** About the `count` nearest, best first, found with a beam of that many candidates. Not called on an empty graph. */
  nearest(query: Float32Array, count: number): BigUint64Array;
  /** Writes the graph to a file; gives what has to be kept beside it. */
  save(path: string): Uint8Array;
  /** Into an empty graph, from a file that `save` wrote and nobody changed: native loaders abort on others. */
  load(path: string, beside: Uint8Array): void;
}
