import type { Services } from '../context.ts';
import type { HealthCheck } from './health.ts';

/** An index that has been behind the store for so long answers from the past. */
const LATE_MS = 60_000;

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
        await texts.checkAlive();
        return { ok: true, detail: 'warm' };
      },
    },
    {
      name: 'index',
      check: () => {
        const opened = indexes.opened();
        const late = opened.filter(({ state }) => state.lagMs > LATE_MS).length;
        const ok = areIndexesReady() && late === 0;
        return { ok, detail: ok ? `${opened.length} open` : `loading, or ${late} behind` };
      },
    },
  ];
}
