import { expect, test } from '@jest/globals';
import { ClientError } from '../../web/src/graphql/client.ts';
import type { Hit, ResultPage } from '../../web/src/results/result-page.ts';
import { ResultFeed } from '../../web/src/results/result-feed.ts';

test('pages are joined in their order until there is none', async () => {
  const feed = new ResultFeed((after) =>
    Promise.resolve(after === null ? pageOf(['a', 'b'], '2') : pageOf(['c'], null)),
  );

  feed.start();
  await settled();
  feed.loadMore();
  await settled();
  feed.loadMore();

  expect(idsOf(feed)).toEqual(['a', 'b', 'c']);
  expect(feed.getSnapshot()).toMatchObject({ state: 'ready', next: null, isLoadingMore: false });
});

test('asking for more twice loads one page', async () => {
  let loads = 0;
  const feed = new ResultFeed(() => {
    loads++;
    return Promise.resolve(pageOf(['a'], 'next'));
  });
  feed.start();
  await settled();

  feed.loadMore();
  feed.loadMore();
  await settled();

  expect(loads).toBe(2);
});

test('an answer that comes after a reload is dropped', async () => {
  const answers: ((page: ResultPage) => void)[] = [];
  const signals: AbortSignal[] = [];
  const feed = new ResultFeed((_, signal) => {
    signals.push(signal);
    return new Promise((resolve) => answers.push(resolve));
  });
  feed.start();

  feed.reload();
  answers[1]?.(pageOf(['new'], null));
  await settled();
  answers[0]?.(pageOf(['old'], null));
  await settled();

  expect(idsOf(feed)).toEqual(['new']);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
});

test('a first page that fails can be tried again', async () => {
  let isDown = true;
  const feed = new ResultFeed(() =>
    isDown
      ? Promise.reject(new ClientError('UNREACHABLE', 'No.'))
      : Promise.resolve(pageOf(['a'], null)),
  );
  feed.start();
  await settled();
  expect(feed.getSnapshot()).toMatchObject({ state: 'failed', error: { code: 'UNREACHABLE' } });

  isDown = false;
  feed.reload();
  await settled();

  expect(feed.getSnapshot()).toMatchObject({ state: 'ready', error: null });
});

test('a later page that fails leaves what there is', async () => {
  const feed = new ResultFeed((after) =>
    after === null
      ? Promise.resolve(pageOf(['a'], 'next'))
      : Promise.reject(new ClientError('CURSOR_EXPIRED', 'Gone.')),
  );
  feed.start();
  await settled();

  feed.loadMore();
  await settled();

  expect(idsOf(feed)).toEqual(['a']);
  expect(feed.getSnapshot()).toMatchObject({ state: 'ready', error: { code: 'CURSOR_EXPIRED' } });
});

function pageOf(ids: readonly string[], next: string | null): ResultPage {
  return { hits: ids.map(hitOf), next, totalCount: null, timing: null, cutReason: null };
}

function hitOf(id: string): Hit {
  return {
    image: { id, path: `${id}.jpg`, width: 4, height: 3, thumbnailUrl: `/${id}` },
    ranking: null,
  };
}

function idsOf(feed: ResultFeed): readonly string[] {
  return feed.getSnapshot().hits.map(({ image }) => image.id);
}

/** Until the promises that are settled now have had their say. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
