/** What the page shows is what its address says: this file is both directions of that. */

/** What is looked for. `like` and `query` exclude each other; with neither, the whole collection is shown. */
export interface Search {
  /** Null: the first one there is. */
  readonly collection: string | null;
  readonly query: string;
  /** Id of the image to find others like. */
  readonly like: string | null;
}

export type Place =
  | { readonly page: 'search'; readonly search: Search }
  /** An image over the search it was opened from. */
  | { readonly page: 'image'; readonly imageId: string; readonly search: Search }
  /** `next`: the address to go on to. */
  | { readonly page: 'sign-in'; readonly next: string }
  | { readonly page: 'nowhere' };

const IMAGE_PATH = /^\/image\/([^/]+)$/;

/** `search` is the address's part from `?` on, or empty. */
export function parsePlace(pathname: string, search: string): Place {
  if (pathname === '/') return { page: 'search', search: parseSearch(search) };
  if (pathname === '/sign-in') return { page: 'sign-in', next: nextHref(search) };
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
    collection: emptyToNull(parameters.get('c')),
    query: like === null ? (parameters.get('q') ?? '').trim() : '',
    like,
  };
}

function queryString({ collection, query, like }: Search): string {
  const parameters = new URLSearchParams();
  if (collection !== null) parameters.set('c', collection);
  if (like !== null) parameters.set('like', like);
  else if (query !== '') parameters.set('q', query);
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
