import { startRevert } from '../../../indexer/tagging/start-run.ts';
import { getVisibleTagRun } from '../../auth/visible.ts';
import { audit } from '../../audit.ts';
import type { MutationResolvers } from '../../generated/resolvers.ts';
import { checkIdempotencyKey } from '../../idempotency-key.ts';
import { inField, payload } from '../user-errors.ts';

export const revertTagRun: NonNullable<MutationResolvers['revertTagRun']> = (
  _parent,
  { input },
  context,
) =>
  payload({ job: null }, async () => {
    const { database, now } = context.services;
    const run = await inField('id', getVisibleTagRun(context, input.id));
    const idempotencyKey = await inField('idempotencyKey', () =>
      checkIdempotencyKey(input.idempotencyKey),
    );
    const asker = { createdBy: context.viewer.prefix, idempotencyKey, now: now() };
    const job = await inField('id', startRevert(database, run, asker));
    await audit(context, {
      ...{ action: 'revertTagRun', subject: run.id, detail: { job: job.id } },
    });
    return { job };
  });
