import { expect, test } from '@jest/globals';
import {
  generationsHref,
  imageHref,
  jobHref,
  jobsHref,
  parsePlace,
  reportHref,
  reviewHref,
  searchHref,
  signInHref,
  signInToken,
  taggingHref,
  vocabularyHref,
} from '../../web/src/location.ts';

const PARROT = { collection: 'demo', query: 'a parrot', like: null };

test('an address says collection and query, and the other way round', () => {
  expect(searchHref(PARROT)).toBe('/?c=demo&q=a+parrot');
  expect(parsePlace('/', '?c=demo&q=a+parrot')).toEqual({ page: 'search', search: PARROT });
});

test('any text survives its address', () => {
  const search = { collection: 'Été 1', query: '100% & "more" #1 = ?', like: null };

  const { search: query } = new URL(searchHref(search), 'http://host');

  expect(parsePlace('/', query)).toEqual({ page: 'search', search });
});

test('an image carries the search it was opened from, and an id of any letters', () => {
  const { pathname, search } = new URL(imageHref('a/b?c=', PARROT), 'http://host');

  expect(parsePlace(pathname, search)).toEqual({
    page: 'image',
    imageId: 'a/b?c=',
    search: PARROT,
  });
});

test('an image to find others like stands before a text', () => {
  expect(parsePlace('/', '?c=demo&q=cat&like=7')).toMatchObject({
    search: { query: '', like: '7' },
  });
});

test('an empty address asks for everything', () => {
  const everything = { collection: null, query: '', like: null };

  expect(parsePlace('/', '')).toEqual({ page: 'search', search: everything });
  expect(parsePlace('/', '?c=&q=++&like=')).toEqual({ page: 'search', search: everything });
  expect(searchHref(everything)).toBe('/');
});

test.each(['/image/', '/image/%', '/image/a/b', '/jobs/', '/jobs/a/b', '/elsewhere'])(
  'nothing is at %s',
  (path) => {
    expect(parsePlace(path, '')).toEqual({ page: 'nowhere' });
  },
);

test('tags that pictures must have are in the address, each once', () => {
  const search = { ...PARROT, tags: ['dog', 'a & b'] };

  expect(searchHref(search)).toBe('/?c=demo&q=a+parrot&tag=dog&tag=a+%26+b');
  expect(parsePlace('/', '?c=demo&q=a+parrot&tag=dog&tag=a+%26+b&tag=dog&tag=')).toEqual({
    page: 'search',
    search,
  });
});

test('the pages about tags say of which they tell, and the other way round', () => {
  const scope = { collection: 'demo', vocabulary: 'my words' };
  const review = { ...scope, label: 'cat', order: 'SAMPLED' } as const;
  const place = (href: string): unknown => {
    const { pathname, search } = new URL(href, 'http://host');
    return parsePlace(pathname, search);
  };

  expect(place(taggingHref(scope))).toEqual({ page: 'tagging', scope });
  expect(place(reportHref(scope))).toEqual({ page: 'report', scope });
  expect(place(reviewHref(review))).toEqual({ page: 'review', scope: review });
  expect(place(vocabularyHref('my words', 'demo'))).toEqual({
    page: 'vocabulary',
    name: 'my words',
    collection: 'demo',
  });
});

test('a collection may be named in full, and an unknown order is the usual one', () => {
  expect(parsePlace('/review', '?collection=demo&order=ODD')).toEqual({
    page: 'review',
    scope: { collection: 'demo', vocabulary: null, label: null, order: 'MIXED' },
  });
});

test('signing in leads on to where one wanted, but never to another site', () => {
  const href = signInHref('/image/7?c=demo&q=cat');

  const { pathname, search } = new URL(href, 'http://host');

  expect(parsePlace(pathname, search)).toEqual({ page: 'sign-in', next: '/image/7?c=demo&q=cat' });
  for (const next of ['https://evil.example', '//evil.example', '/\\evil.example', '']) {
    expect(parsePlace('/sign-in', new URL(signInHref(next), 'http://host').search)).toEqual({
      page: 'sign-in',
      next: '/',
    });
  }
});

test("a sign-in link's token is read from the fragment", () => {
  expect(signInToken('#token=abc-_1')).toBe('abc-_1');
  expect(signInToken('')).toBeNull();
  expect(signInToken('#other=1')).toBeNull();
});

test('an address says which jobs are listed, and the other way round', () => {
  const filter = { collection: 'Été 1', state: 'FAILED' } as const;

  const { pathname, search } = new URL(jobsHref(filter), 'http://host');

  expect(parsePlace(pathname, search)).toEqual({ page: 'jobs', filter });
});

test('without a filter, or with a state that is none, all jobs are listed', () => {
  const filter = { collection: null, state: null };

  expect(jobsHref(filter)).toBe('/jobs');
  for (const search of ['', '?c=&state=', '?state=failed', '?state=toString']) {
    expect(parsePlace('/jobs', search)).toEqual({ page: 'jobs', filter });
  }
});

test('a job has an address, whatever letters are in its id', () => {
  const { pathname } = new URL(jobHref('a/b?c='), 'http://host');

  expect(parsePlace(pathname, '')).toEqual({ page: 'job', jobId: 'a/b?c=' });
});

test('an address says whose generations are shown', () => {
  expect(generationsHref('demo')).toBe('/generations?c=demo');
  expect(parsePlace('/generations', '?c=demo')).toEqual({
    page: 'generations',
    collection: 'demo',
  });
  expect(parsePlace('/generations', '')).toEqual({ page: 'generations', collection: null });
});
