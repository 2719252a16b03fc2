import { describe, expect, test } from '@jest/globals';
import { createCollection } from '../../store/collections.ts';
import { asSourceId } from '../../store/ids.ts';
import type { SourceSchedule } from '../../store/source-schedule.ts';
import {
  addSource,
  findSource,
  listScheduledSources,
  updateSource,
  type SourceRecord,
} from '../../store/sources.ts';
import { useDatabase } from '../support/database.ts';
import { withCode } from '../support/errors.ts';
import { freshName } from '../support/rows.ts';

const { pool, prisma } = await useDatabase();

async function newSource(schedule: Partial<SourceSchedule> = {}): Promise<SourceRecord> {
  const { id: collectionId } = await createCollection(prisma, { name: freshName('c') });
  return addSource(prisma, { collectionId, name: 'src', folder: '/photos', ...schedule });
}

const SILENT = { rescanEverySeconds: null, watches: false, settleSeconds: 5, prunes: false };

describe("a source's schedule", () => {
  test('is none unless asked for', async () => {
    const source = await newSource();

    expect(source).toMatchObject(SILENT);
    expect(await listScheduledSources(prisma)).not.toContainEqual(source);
  });

  test('is kept, and makes it one to follow', async () => {
    const schedule = { rescanEverySeconds: 60, watches: true, settleSeconds: 0, prunes: true };

    const source = await newSource(schedule);

    expect(await findSource(prisma, source.id)).toMatchObject(schedule);
    expect(await listScheduledSources(prisma)).toContainEqual(source);
  });

  test('changes where it is told to, and only there', async () => {
    const { id } = await newSource({ rescanEverySeconds: 900, prunes: true });

    const watched = await updateSource(prisma, id, { watches: true });
    const unscheduled = await updateSource(prisma, id, { rescanEverySeconds: null });
    const same = await updateSource(prisma, id, {});

    expect(watched).toMatchObject({ rescanEverySeconds: 900, watches: true, prunes: true });
    expect(unscheduled).toMatchObject({ ...SILENT, watches: true, prunes: true });
    expect(same).toEqual(unscheduled);
  });

  test.each<Partial<SourceSchedule>>([
    { rescanEverySeconds: 59 },
    { rescanEverySeconds: 31_536_001 },
    { rescanEverySeconds: 60.5 },
    { settleSeconds: -1 },
    { settleSeconds: 3601 },
    { settleSeconds: Number.NaN },
  ])('%j is refused, by the database too', async (schedule) => {
    const { id } = await newSource();
    const [[name, value] = []] = Object.entries(schedule);
    const column = name === 'settleSeconds' ? 'settle_seconds' : 'rescan_every_seconds';

    await expect(updateSource(prisma, id, schedule)).rejects.toMatchObject(
      withCode('BAD_USER_INPUT'),
    );
    await expect(newSource(schedule)).rejects.toMatchObject(withCode('BAD_USER_INPUT'));
    if (!Number.isInteger(value)) return; // the column is one of whole numbers
    await expect(
      pool.query(`UPDATE sources SET ${column} = $2 WHERE id = $1`, [id, value]),
    ).rejects.toThrow(/_range/);
  });

  test('of a source that is gone is NOT_FOUND', async () => {
    const nowhere = asSourceId('00000000-0000-4000-8000-000000000000');

    await expect(updateSource(prisma, nowhere, { watches: true })).rejects.toMatchObject(
      withCode('NOT_FOUND'),
    );
  });
});
