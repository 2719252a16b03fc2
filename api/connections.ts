import { checkPageSize, decodeCursor, encodeCursor } from './cursors.ts';
import type { CollectionRecord } from '../store/collections.ts';
import type { ImageRecord } from '../store/images.ts';
import type { ItemRecord } from '../store/job-items.ts';
import type { JobRecord } from '../store/jobs.ts';
import type { ReviewItemRecord } from '../store/review-queue.ts';
import type { RunLabelRecord, TagRunRecord } from '../store/tag-runs.ts';
import type { LabelRecord, VocabularyRecord } from '../store/vocabularies.ts';
import { z } from 'zod';

/** A page of a list: what a connection type is resolved from. `totalCount` is counted only when it is asked for. */
export interface Connection<Node> {
  readonly edges: readonly { readonly cursor: string; readonly node: Node }[];
  readonly hasNextPage: boolean;
  readonly totalCount: () => Promise<number>;
}

export type CollectionConnectionSource = Connection<CollectionRecord>;
export type ImageConnectionSource = Connection<ImageRecord>;
export type JobConnectionSource = Connection<JobRecord>;
export type JobItemConnectionSource = Connection<ItemRecord>;
export type LabelConnectionSource = Connection<LabelRecord>;
export type ReviewItemConnectionSource = Connection<ReviewItemRecord>;
export type RunLabelConnectionSource = Connection<RunLabelRecord>;
export type TagRunConnectionSource = Connection<TagRunRecord>;
export type VocabularyConnectionSource = Connection<VocabularyRecord>;

export interface PageArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

export interface List<Node> {
  /** Names the list in its cursors: a cursor of another list is refused. */
  readonly kind: string;
  /** What a cursor remembers of a node. */
  readonly keyOf: (node: Node) => string;
  /** What a key must look like. */
  readonly key: z.ZodType<string>;
  readonly read: (page: { after: string | null; limit: number }) => Promise<readonly Node[]>;
  readonly count: () => Promise<number>;
  /** The largest page. Default: 100. */
  readonly most?: number;
}

/** Reads one more than asked for, which tells whether more follow. */
export async function paginate<Node>(
  { first, after }: PageArguments,
  list: List<Node>,
): Promise<Connection<Node>> {
  const size = checkPageSize(first, list.most);
  const start = typeof after === 'string' ? decodeCursor(list.kind, after, list.key) : null;
  const nodes = await list.read({ after: start, limit: size + 1 });
  const edges = nodes
    .slice(0, size)
    .map((node) => ({ node, cursor: encodeCursor(list.kind, list.keyOf(node)) }));
  return { edges, hasNextPage: nodes.length > size, totalCount: list.count };
}

/** Keys that are rows' counted ids. */
export const NUMBER_KEY = z.string().regex(/^\d{1,18}$/);
