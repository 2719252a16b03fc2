import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Bundle } from '../../../models/bundle.ts';
import { narrowBundle } from '../../../models/narrow-bundle.ts';
import { Closers } from '../../../platform/closers.ts';
import { messageOf } from '../../../platform/errors.ts';
import { Random } from '../../../platform/random.ts';
import { createApiKey } from '../../../store/api-keys.ts';
import { getCollection } from '../../../store/collections.ts';
import { Database } from '../../../store/database.ts';
import { migrate } from '../../../store/migrate.ts';
import { EmbeddingCount } from './embedding-count.ts';
import { GraphqlClient } from './graphql-client.ts';
import { findFaults, findFinalFaults } from './invariants.ts';
import { Photos } from './photos.ts';
import { PlatformUnderTest } from './platform-under-test.ts';
import { PostgresServer } from './postgres-server.ts';
import { Report, type KillLine } from './report.ts';
import { Rounds } from './rounds.ts';
import { chooseVictims, type Victim } from './victims.ts';
import { Visitors } from './visitors.ts';
import { runVerify } from './run-verify.ts';

export interface KillOptions {
  readonly kills: number;
  /** Photos of the first round. */
  readonly photos: number;
  readonly seed: string;
  /** Folder of pictures. */
  readonly from: string;
  /** Folder of the bundle whose vision space the collection begins in. */
  readonly bundle: string;
  /** Dimensions of the vision spaces it is reindexed into, in turn with its own. */
  readonly widths: readonly number[];
  /** Between two kills, from when all were up again. */
  readonly betweenMs: readonly [shortest: number, longest: number];
  /** `sharelock verify` runs after so many kills, and at the end. */
  readonly verifyEvery: number;
  readonly print: (line: string) => void;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

const COLLECTION = 'killed';
/** How often a second victim falls while the first starts again. */
const SHARE_OF_DOUBLES = 0.25;
/** When, after the first. */
const STARTING_MS = [0, 4000] as const;
const GRACE_MS = 15_000;

/** Runs the platform, kills parts of it at random while it works, and says what was wrong afterwards. */
export async function killEverything(options: KillOptions): Promise<Report> {
  const closers = new Closers();
  try {
    return await run(options, closers);
  } finally {
    await closers.close();
  }
}

async function run(options: KillOptions, closers: Closers): Promise<Report> {
  const { kills, seed, signal, print } = options;
  const report = new Report(print);
  const stage = await setUp(options, closers, report);
  const { platform, postgres, database, rounds, visitors } = stage;
  const done = new AbortController();
  const ended = AbortSignal.any([signal, done.signal]);
  const work = rounds.run(ended);
  const visits = visitors.run(ended);
  const isBroken = new Promise<never>((_resolve, reject) => {
    for (const one of [work, visits]) one.catch(reject);
  });
  const random = new Random('kill-everything', seed);
  const victims = chooseVictims(platform, postgres, random);
  const killAll = async (): Promise<void> => {
    while (report.kills < kills && !ended.aborted) {
      const both = report.kills + 1 < kills && random.uniform() < SHARE_OF_DOUBLES;
      const chosen = [victims.next().value, ...(both ? [victims.next().value] : [])];
      await killThem(stage, chosen, { ...options, random, report, signal: ended });
    }
    done.abort();
    await Promise.all([work, visits]);
  };
  const killing = killAll();
  try {
    await Promise.race([killing, isBroken, untilAborted(signal)]);
  } finally {
    done.abort();
    await Promise.race([
      killing.catch(() => undefined),
      pause(GRACE_MS, undefined, { ref: false }),
    ]); // what it starts must be there to be ended
  }
  await untilIdle(database);
  const expected = { photos: stage.photos.count, visitors };
  report.addFaults('end', await findFaults(database.pool, stage.collectionId, visitors));
  report.addFaults('end', await findFinalFaults(database.pool, stage.collectionId, expected));
  report.addFaults('end', await runVerify(platform.environment('verify')));
  report.setEmbeddings(await stage.embeddings.read(database.pool));
  report.addFaults('end', await platform.stop());
  print(`${rounds.count} rounds, ${stage.client.failures} requests repeated by visitors`);
  return report;
}

type Stage = Awaited<ReturnType<typeof setUp>>;

async function setUp(options: KillOptions, closers: Closers, report: Report) {
  const folder = await mkdtemp(join(tmpdir(), 'sharelock-kills-'));
  closers.add(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await chmod(folder, 0o755); // Postgres may have to run as another user
  const bundles = join(folder, 'bundles');
  const base = await Bundle.open(options.bundle);
  const narrowed: Bundle[] = [];
  for (const dimensions of options.widths) {
    narrowed.push(await narrowBundle({ base, dimensions, out: join(bundles, `to-${dimensions}`) }));
  }
  const postgres = await PostgresServer.create(join(folder, 'postgres'));
  closers.add(() => postgres.stop());
  const database = await Database.open({ url: postgres.urlFor('script'), dataFolder: folder });
  closers.add(() => database.close());
  const { pool, prisma } = database;
  await migrate(pool);
  const embeddings = new EmbeddingCount(join(folder, 'embedded'));
  await embeddings.install(pool);
  const { secret } = await createApiKey(prisma, { role: 'ADMIN', collections: null }, new Date());
  const photos = await Photos.create(options.from, join(folder, 'photos'));
  const onFault = (fault: string): void => {
    report.addFaults('meanwhile', [fault]);
  };
  const platform = await PlatformUnderTest.start({
    ...{ postgres, folder, bundle: options.bundle, bundles, embeddings, onFault },
  });
  closers.add(() => {
    platform.destroy();
  });
  await platform.untilUp(pool);
  const client = new GraphqlClient(platform.url, secret);
  await client.mutate('createCollection', { name: COLLECTION }, { selection: 'collection { id }' });
  const source = { collection: COLLECTION, folder: photos.folder, name: 'photos' };
  await client.mutate('addSource', source, { selection: 'source { id }' });
  const { id: collectionId } = await getCollection(prisma, COLLECTION);
  const common = { client, pool, photos, collection: COLLECTION };
  const spaces = [base, ...narrowed].map(({ visionSpace }) => visionSpace);
  const rounds = new Rounds({ ...common, spaces, photosOfRound: options.photos });
  const visitors = new Visitors({ ...common, random: new Random('visitors', options.seed) });
  return {
    ...{ platform, postgres, database, photos, embeddings, client, collectionId },
    ...{ rounds, visitors },
  };
}

interface KillContext extends KillOptions {
  readonly random: Random;
  readonly report: Report;
}

/** Kills one, or two of which the second meets the first while it starts again. */
async function killThem(
  stage: Stage,
  victims: readonly Victim[],
  { betweenMs, random, report, signal, verifyEvery }: KillContext,
): Promise<void> {
  const { platform, database, rounds, visitors, collectionId, embeddings } = stage;
  const waitMs = between(random, betweenMs);
  await pause(waitMs, undefined, { signal }).catch(() => undefined);
  if (signal.aborted) return;
  const { phase } = rounds;
  const startedAt = performance.now();
  const lives: (string | null)[] = [];
  for (const [i, victim] of victims.entries()) {
    if (i > 0) await pause(between(random, STARTING_MS));
    lives.push(await victim.kill());
  }
  await platform.untilUp(database.pool);
  const upMs = performance.now() - startedAt;
  const faults = [...(await findFaults(database.pool, collectionId, visitors))];
  const before = Math.floor(report.kills / verifyEvery);
  if (Math.floor((report.kills + victims.length) / verifyEvery) > before) {
    faults.push(...(await runVerify(platform.environment('verify'))));
  }
  const line: KillLine = { victims, lives, phase, waitMs, upMs };
  await report.addKills(line, faults, { database, counts: await embeddings.read(database.pool) });
}

function between(random: Random, [shortest, longest]: readonly [number, number]): number {
  return shortest + random.below(longest - shortest);
}

/** Uploads are indexed by jobs that nobody waits for. */
async function untilIdle({ pool }: Database): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (performance.now() < deadline) {
    const { rowCount } = await pool.query(
      "SELECT FROM jobs WHERE state IN ('PLANNED', 'QUEUED', 'RUNNING')",
    );
    if (rowCount === 0) return;
    await pause(200);
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = (): void => {
      reject(new Error(`Stopped: ${messageOf(signal.reason)}`));
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });
}
