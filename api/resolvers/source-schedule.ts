import {
  checkRescanInterval,
  checkSettleTime,
  type SourceSchedule,
} from '../../store/source-schedule.ts';
import { inField } from './user-errors.ts';

interface ScheduleInput {
  readonly rescanEverySeconds?: number | null | undefined;
  readonly watch?: boolean | null | undefined;
  readonly settleSeconds?: number | null | undefined;
  readonly prune?: boolean | null | undefined;
}

/** What an input says of a source's schedule; `rescanEverySeconds: null` says "never", other nulls say nothing. */
export async function scheduleOf(input: ScheduleInput): Promise<Partial<SourceSchedule>> {
  const { rescanEverySeconds, watch, settleSeconds, prune } = input;
  await inField('rescanEverySeconds', () => {
    checkRescanInterval(rescanEverySeconds);
  });
  await inField('settleSeconds', () => {
    checkSettleTime(settleSeconds);
  });
  return {
    ...(rescanEverySeconds === undefined ? {} : { rescanEverySeconds }),
    ...(watch == null ? {} : { watches: watch }),
    ...(settleSeconds == null ? {} : { settleSeconds }),
    ...(prune == null ? {} : { prunes: prune }),
  };
}
