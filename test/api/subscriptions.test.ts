import { beforeAll, expect, test } from '@jest/globals';
import type { Viewer } from '../../api/auth/viewer.ts';
import { createContext, type Context } from '../../api/context.ts';
import { jobProgress } from '../../api/resolvers/Subscription/jobProgress.ts';
import { revokeApiKey, verifyApiKey } from '../../store/api-keys.ts';
import { textAt, UNKNOWN_JOB, useApi, valuesAt, type TestApi } from '../support/api.ts';
import { subscribed, type Subscribed } from '../support/subscriptions.ts';

let api: TestApi;

beforeAll(async () => {
  api = await useApi();
  await api.indexedCollection('photos', ['coffee']);
});

const PROGRESS = `subscription ($id: ID!) {
  jobProgress(id: $id) { id state total done failed skipped collection { name } }
}`;

async function newJob(): Promise<string> {
  const answer = await api.query(
    'mutation { startIngest(input: { collection: "photos" }) { job { id } } }',
  );
  return textAt(answer, 'startIngest.job.id');
}

const statesOf = ({ events }: Subscribed): readonly unknown[] =>
  events.flatMap((data) => valuesAt({ data }, 'jobProgress.state'));

test('jobProgress tells the job now, tells what changes, and ends with it', async () => {
  const id = await newJob();
  const work: Promise<unknown>[] = [];

  const followed = await subscribed(api, PROGRESS, {
    variables: { id },
    onEvent: () => {
      if (work.length === 0) work.push(api.runJob(id));
    },
  });
  await Promise.all(work);

  const states = statesOf(followed);
  expect(followed.codes).toEqual([]);
  expect(states.length).toBeGreaterThan(1);
  expect(states[0]).toMatch(/^(PLANNED|QUEUED)$/);
  expect(states.at(-1)).toBe('SUCCEEDED');
  expect(followed.events.at(-1)).toEqual({
    jobProgress: {
      ...{ id, state: 'SUCCEEDED', total: 1, done: 0, failed: 0, skipped: 1 },
      collection: { name: 'photos' },
    },
  });
});

test('jobProgress of a finished job tells its end once', async () => {
  const id = await newJob();
  await api.runJob(id);

  const followed = await subscribed(api, PROGRESS, { variables: { id } });

  expect(statesOf(followed)).toEqual(['SUCCEEDED']);
});

test('jobProgress of a job that is deleted meanwhile ends', async () => {
  await api.indexedCollection('passing', ['koala']);
  const answer = await api.query(
    'mutation { startIngest(input: { collection: "passing" }) { job { id } } }',
  );
  const id = textAt(answer, 'startIngest.job.id');

  const followed = await subscribed(api, PROGRESS, {
    variables: { id },
    onEvent: () =>
      void api.query(
        'mutation { deleteCollection(input: { collection: "passing" }) { deletedCollectionId } }',
      ),
  });

  expect(followed.codes).toEqual([]);
  expect(followed.events.length).toBeLessThanOrEqual(2);
});

test('a key that is revoked ends its subscriptions within a minute', async () => {
  const id = await newJob(); // nobody does it
  const key = await api.keyFor('CURATOR');

  const followed = await subscribed(api, PROGRESS, {
    ...{ variables: { id }, key },
    onEvent: () => void revokeApiKey(api.services.database.prisma, key.slice(0, 16), new Date()),
  });

  expect(followed.events).toHaveLength(1);
  expect(followed.codes).toEqual(['UNAUTHENTICATED']);
});

test.each<[string, string, unknown]>([
  ['a job there is not', `subscription { jobProgress(id: "${UNKNOWN_JOB}") { id } }`, 'NOT_FOUND'],
  ['a field there is not', 'subscription { planets { id } }', 'GRAPHQL_VALIDATION_FAILED'],
  ['wrong syntax', 'subscription {', 'GRAPHQL_PARSE_FAILED'],
  [
    'a document too deep',
    `subscription { ${'a { '.repeat(60)} ${'}'.repeat(60)} }`,
    'COST_EXCEEDED',
  ],
])('is refused over the socket too: %s', async (_name, document, code) => {
  const { events, codes } = await subscribed(api, document);

  expect({ events, codes }).toEqual({ events: [], codes: [code] });
});

test.each(['{ viewer { role } }', 'mutation { createApiKey(input: { role: ADMIN }) { secret } }'])(
  'the socket carries subscriptions only: %s',
  async (document) => {
    const { events, codes } = await subscribed(api, document);

    expect({ events, codes }).toEqual({ events: [], codes: ['BAD_USER_INPUT'] });
  },
);

test('a client that leaves a job that stands still leaves nothing running', async () => {
  const id = await newJob();
  const context = createContext(
    api.services,
    await viewerOf(api.adminKey),
    new AbortController().signal,
  );
  const { subscribe } = jobProgress as unknown as { readonly subscribe: Subscribe };
  const events = await subscribe(null, { id }, context);
  await events.next();
  const waiting = events.next();

  await events.return();

  expect(await waiting).toMatchObject({ done: true });
});

type Subscribe = (
  parent: null,
  args: { readonly id: string },
  context: Context,
) => Promise<Required<Pick<AsyncIterator<unknown, void, undefined>, 'next' | 'return'>>>;

async function viewerOf(secret: string): Promise<Viewer> {
  const viewer = await verifyApiKey(api.services.database.prisma, secret, new Date());
  if (viewer) return viewer;
  throw new Error('The key is not in force.');
}
