import type { Random } from '../../../platform/random.ts';
import type { PlatformUnderTest } from './platform-under-test.ts';
import type { PostgresServer } from './postgres-server.ts';

export interface Victim {
  readonly name: string;
  readonly group: 'worker' | 'API' | 'Postgres';
  /** Kills it, and sees to it that it is started again. Gives the life it ended, null where that has no name. */
  readonly kill: () => Promise<string | null>;
}

/** Endless; each comes once in every five, in random order. */
export function* chooseVictims(
  platform: PlatformUnderTest,
  postgres: PostgresServer,
  random: Random,
): Generator<Victim, never> {
  const victims: readonly Victim[] = [
    { name: 'API', group: 'API', kill: () => platform.api.kill() },
    ...platform.workers.map((worker, i): Victim => ({
      ...{ name: `worker ${i + 1}`, group: 'worker', kill: () => worker.kill() },
    })),
    {
      ...{ name: 'Postgres, all of it', group: 'Postgres' },
      kill: async () => {
        await postgres.killAll();
        await postgres.start();
        return null;
      },
    },
    {
      ...{ name: 'Postgres, one backend', group: 'Postgres' },
      kill: async () => {
        await postgres.killBackend(random);
        await postgres.untilItAccepts();
        return null;
      },
    },
  ];
  for (;;) {
    for (const index of random.permutation(victims.length)) {
      const victim = victims[index];
      if (victim) yield victim;
    }
  }
}
