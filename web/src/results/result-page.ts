import type { CutReason, ImageCardFragment, SearchPath } from '../generated/operations.ts';
import type { Search } from '../location.ts';

export interface Hit {
  readonly image: ImageCardFragment;
  /** Null where nothing was ranked. */
  readonly ranking: { readonly rank: number; readonly score: number } | null;
}

export interface ResultPage {
  readonly hits: readonly Hit[];
  /** Where the next page begins; null when this is the last. */
  readonly next: string | null;
  /** Null where it isn't known. */
  readonly totalCount: number | null;
  readonly timing: { readonly path: SearchPath; readonly ms: number } | null;
  readonly cutReason: CutReason | null;
}

/** Of a collection that is known by now. */
export type ResolvedSearch = Search & { readonly collection: string };
