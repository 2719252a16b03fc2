import type { Services } from '../context.ts';
import type { HealthCheck } from './health.ts';

/** What has to hold before this process can answer a search. */
export function healthChecks(
  { database, texts, indexes }: Services,
  areIndexesReady: () => boolean,
): readonly HealthCheck[] {
  return [
    {
      name: 'database',
      check: async () => {
        await database.pool.query('SELECT 1');
        return { ok: true, detail: 'answers' };
      },
    },
    {
      name: 'model',
      check: async () => {
        await texts.encode('a photo');
        return { ok: true, detail: 'warm' };
      },
    },
    {
      name: 'index',
      check: async () => {
        const opened = await indexes.opened();
        const behind = opened.filter(({ state }) => !state.isCaughtUp).length;
        const ok = areIndexesReady();
        return { ok, detail: ok ? `${opened.length} open, ${behind} catching up` : 'loading' };
      },
    },
  ];
}
