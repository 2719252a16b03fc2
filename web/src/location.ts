import type { JobState } from './generated/operations.ts';

/** What the page shows is what its address says: this file is both directions of that. */

/** What is looked for. `like` and `query` exclude each other; with neither, the whole collection is shown. */
export interface Search {
  /** Null: the first one there is. */
  readonly collection: string | null;
  readonly query: string;
  /** Id of the image to find others like. */
  readonly like: string | null;
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
  /** `next`: the address to go on to. */
  | { readonly page: 'sign-in'; readonly next: string }
  | { readonly page: 'nowhere' };

const IMAGE_PATH = /^\/image\/([^/]+)$/;
const JOB_PATH = /^\/jobs\/([^/]+)$/;

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

/** `search` is the address's part from `?` on, or empty. */
export function parsePlace(pathname: string, search: string): Place {
  if (pathname === '/') return { page: 'search', search: parseSearch(search) };
  if (pathname === '/sign-in') return { page: 'sign-in', next: nextHref(search) };
  if (pathname === '/jobs') return { page: 'jobs', filter: parseJobFilter(search) };
  if (pathname === '/generations') return { page: 'generations', collection: collectionOf(search) };
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
  return {
    collection: collectionOf(search),
    query: like === null ? (parameters.get('q') ?? '').trim() : '',
    like,
  };
}

function parseJobFilter(search: string): JobFilter {
  const asked = new URLSearchParams(search).get('state');
  return {
    collection: collectionOf(search),
    state: JOB_STATES.find((state) => state === asked) ?? null,
  };
}

function collectionOf(search: string): string | null {
  return emptyToNull(new URLSearchParams(search).get('c'));
}

function queryString({ collection, query, like }: Search): string {
  return toQuery({ c: collection, like, q: like === null && query !== '' ? query : null });
}

/** Leaves out what is null. */
function toQuery(values: Readonly<Record<string, string | null>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null) parameters.set(name, value);
  }
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
