import type { JobState, ReviewOrder } from './generated/operations.ts';

/** What the page shows is what its address says: this file is both directions of that. */

/** What is looked for. `like` and `query` exclude each other; with neither, the whole collection is shown. */
export interface Search {
  /** Null: the first one there is. */
  readonly collection: string | null;
  readonly query: string;
  /** Id of the image to find others like. */
  readonly like: string | null;
  /** Labels that images must have, all of them. Absent: any images. */
  readonly tags?: readonly string[];
}

/** Of which tags something is told. */
export interface TagScope {
  /** Null: the first one there is. */
  readonly collection: string | null;
  /** Null: any, or that of the newest run. */
  readonly vocabulary: string | null;
}

/** Which tags are reviewed. */
export interface ReviewScope extends TagScope {
  /** Null: all labels. */
  readonly label: string | null;
  readonly order: ReviewOrder;
}

/** Which jobs are listed. */
export interface JobFilter {
  /** Null: of all collections. */
  readonly collection: string | null;
  /** Null: in any state. */
  readonly state: JobState | null;
}

export type Place =
  | { readonly page: 'search'; readonly search: Search }
  /** An image over the search it was opened from. */
  | { readonly page: 'image'; readonly imageId: string; readonly search: Search }
  | { readonly page: 'jobs'; readonly filter: JobFilter }
  | { readonly page: 'job'; readonly jobId: string }
  /** `collection` null: the first one there is. */
  | { readonly page: 'generations'; readonly collection: string | null }
  /** `collection`: where its links lead, null for the first one; vocabularies are of none. */
  | { readonly page: 'vocabularies'; readonly collection: string | null }
  | { readonly page: 'vocabulary'; readonly name: string; readonly collection: string | null }
  | { readonly page: 'tagging'; readonly scope: TagScope }
  | { readonly page: 'review'; readonly scope: ReviewScope }
  | { readonly page: 'report'; readonly scope: TagScope }
  /** `next`: the address to go on to. */
  | { readonly page: 'sign-in'; readonly next: string }
  | { readonly page: 'nowhere' };

const IMAGE_PATH = /^\/image\/([^/]+)$/;
const JOB_PATH = /^\/jobs\/([^/]+)$/;
const VOCABULARY_PATH = /^\/vocabularies\/([^/]+)$/;

/** In the order of a job's life. A state that is missing here does not compile. */
export const JOB_STATES = Object.keys({
  PLANNED: true,
  QUEUED: true,
  RUNNING: true,
  PAUSED: true,
  SUCCEEDED: true,
  FAILED: true,
  CANCELLED: true,
} satisfies Record<JobState, true>) as readonly JobState[];

/** The first one is the default. */
export const REVIEW_ORDERS = Object.keys({
  MIXED: true,
  SAMPLED: true,
  UNCERTAIN: true,
  BEST: true,
} satisfies Record<ReviewOrder, true>) as readonly ReviewOrder[];

/** `search` is the address's part from `?` on, or empty. */
export function parsePlace(pathname: string, search: string): Place {
  if (pathname === '/') return { page: 'search', search: parseSearch(search) };
  if (pathname === '/sign-in') return { page: 'sign-in', next: nextHref(search) };
  if (pathname === '/jobs') return { page: 'jobs', filter: parseJobFilter(search) };
  if (pathname === '/generations') return { page: 'generations', collection: collectionOf(search) };
  const collection = collectionOf(search);
  if (pathname === '/vocabularies') return { page: 'vocabularies', collection };
  if (pathname === '/tagging') return { page: 'tagging', scope: parseTagScope(search) };
  if (pathname === '/review') return { page: 'review', scope: parseReviewScope(search) };
  if (pathname === '/report') return { page: 'report', scope: parseTagScope(search) };
  const name = decode(VOCABULARY_PATH.exec(pathname)?.[1]);
  if (name !== null) return { page: 'vocabulary', name, collection };
  const jobId = decode(JOB_PATH.exec(pathname)?.[1]);
  if (jobId !== null) return { page: 'job', jobId };
  const imageId = decode(IMAGE_PATH.exec(pathname)?.[1]);
  if (imageId === null) return { page: 'nowhere' };
  return { page: 'image', imageId, search: parseSearch(search) };
}

export function searchHref(search: Search): string {
  return `/${queryString(search)}`;
}

export function imageHref(imageId: string, search: Search): string {
  return `/image/${encodeURIComponent(imageId)}${queryString(search)}`;
}

export function jobsHref({ collection, state }: JobFilter): string {
  return `/jobs${toQuery({ c: collection, state })}`;
}

export function jobHref(jobId: string): string {
  return `/jobs/${encodeURIComponent(jobId)}`;
}

export function generationsHref(collection: string | null): string {
  return `/generations${toQuery({ c: collection })}`;
}

export function vocabulariesHref(collection: string | null): string {
  return `/vocabularies${toQuery({ c: collection })}`;
}

export function vocabularyHref(name: string, collection: string | null): string {
  return `/vocabularies/${encodeURIComponent(name)}${toQuery({ c: collection })}`;
}

export function taggingHref({ collection, vocabulary }: TagScope): string {
  return `/tagging${toQuery({ c: collection, vocabulary })}`;
}

export function reviewHref({ collection, vocabulary, label, order }: ReviewScope): string {
  const named = order === REVIEW_ORDERS[0] ? null : order;
  return `/review${toQuery({ c: collection, vocabulary, label, order: named })}`;
}

export function reportHref({ collection, vocabulary }: TagScope): string {
  return `/report${toQuery({ c: collection, vocabulary })}`;
}

export function signInHref(next: string): string {
  return next === '/' ? '/sign-in' : `/sign-in?${new URLSearchParams({ next }).toString()}`;
}

/** The one-time token of a sign-in link. It is in the fragment, which browsers send to nobody. */
export function signInToken(fragment: string): string | null {
  return new URLSearchParams(fragment.replace(/^#/, '')).get('token');
}

/** Only of this site, whoever made the link. */
function nextHref(search: string): string {
  const next = new URLSearchParams(search).get('next') ?? '/';
  return /^\/(?![/\\])/.test(next) ? next : '/';
}

function parseSearch(search: string): Search {
  const parameters = new URLSearchParams(search);
  const like = emptyToNull(parameters.get('like'));
  const tags = parameters.getAll('tag').filter((tag) => tag !== '');
  return {
    collection: collectionOf(search),
    query: like === null ? (parameters.get('q') ?? '').trim() : '',
    like,
    ...(tags.length === 0 ? {} : { tags: [...new Set(tags)] }),
  };
}

function parseJobFilter(search: string): JobFilter {
  const asked = new URLSearchParams(search).get('state');
  return {
    collection: collectionOf(search),
    state: JOB_STATES.find((state) => state === asked) ?? null,
  };
}

function parseTagScope(search: string): TagScope {
  const vocabulary = emptyToNull(new URLSearchParams(search).get('vocabulary'));
  return { collection: collectionOf(search), vocabulary };
}

function parseReviewScope(search: string): ReviewScope {
  const parameters = new URLSearchParams(search);
  const asked = parameters.get('order');
  return {
    ...parseTagScope(search),
    label: emptyToNull(parameters.get('label')),
    order: REVIEW_ORDERS.find((order) => order === asked) ?? 'MIXED',
  };
}

/** In full, too, as people and other programs write it. */
function collectionOf(search: string): string | null {
  const parameters = new URLSearchParams(search);
  return emptyToNull(parameters.get('c') ?? parameters.get('collection'));
}

function queryString({ collection, query, like, tags = [] }: Search): string {
  const q = like === null && query !== '' ? query : null;
  return toQuery({ c: collection, like, q }, tags);
}

/** Leaves out what is null. */
function toQuery(
  values: Readonly<Record<string, string | null>>,
  tags: readonly string[] = [],
): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null) parameters.set(name, value);
  }
  for (const tag of tags) parameters.append('tag', tag);
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}

function emptyToNull(value: string | null): string | null {
  return value === '' ? null : value;
}

function decode(part: string | undefined): string | null {
  try {
    return part === undefined ? null : decodeURIComponent(part);
  } catch {
    return null; // a lone percent sign
  }
}
