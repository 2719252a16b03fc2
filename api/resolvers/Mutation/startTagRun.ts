import { startTagRun as start } from '../../../indexer/tagging/start-run.ts';
import { audit } from '../../audit.ts';
import type { MutationResolvers } from '../../generated/resolvers.ts';
import { checkIdempotencyKey } from '../../idempotency-key.ts';
import { readTagRunInput } from '../../tag-run-input.ts';
import { inField, payload } from '../user-errors.ts';

export const startTagRun: NonNullable<MutationResolvers['startTagRun']> = (
  _parent,
  { input },
  context,
) =>
  payload({ job: null }, async () => {
    const { database, now } = context.services;
    const { collection, request } = await readTagRunInput(context, input);
    const idempotencyKey = await inField('idempotencyKey', () =>
      checkIdempotencyKey(input.idempotencyKey),
    );
    const asker = { createdBy: context.viewer.prefix, idempotencyKey, now: now() };
    const job = await start(database, request, asker);
    const { vocabulary } = input;
    await audit(context, {
      ...{ action: 'startTagRun', subject: collection.name, detail: { job: job.id, vocabulary } },
    });
    return { job };
  });
