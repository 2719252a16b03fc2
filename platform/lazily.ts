export interface Lazy<T> {
  /** Makes it at the first call. One that failed is made again. */
  readonly get: () => Promise<T>;
  /** Null when nobody asked for it. */
  readonly begun: () => Promise<T | null>;
}

/** Something that is made when it is first needed. */
export function lazily<T>(make: () => Promise<T>): Lazy<T> {
  let made: Promise<T> | null = null;
  const get = (): Promise<T> => {
    made ??= make().catch((error: unknown) => {
      made = null;
      throw error;
    });
    return made;
  };
  return { get, begun: async () => (made === null ? null : made.catch(() => null)) };
}
