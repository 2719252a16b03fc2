import { startSnapshot as start } from '../../../indexer/jobs/snapshot.ts';
import { getVisibleCollection } from '../../auth/visible.ts';
import { audit } from '../../audit.ts';
import type { MutationResolvers } from '../../generated/resolvers.ts';
import { checkIdempotencyKey } from '../../idempotency-key.ts';
import { inField, payload } from '../user-errors.ts';

export const startSnapshot: NonNullable<MutationResolvers['startSnapshot']> = (
  _parent,
  { input },
  context,
) =>
  payload({ job: null }, async () => {
    const { database, now } = context.services;
    const collection = await inField('collection', getVisibleCollection(context, input.collection));
    const idempotencyKey = await inField('idempotencyKey', () =>
      checkIdempotencyKey(input.idempotencyKey),
    );
    const job = await start(database, {
      ...{ collectionId: collection.id, idempotencyKey, now: now() },
      createdBy: context.viewer.prefix,
    });
    await audit(context, {
      ...{ action: 'startSnapshot', subject: collection.name, detail: { job: job.id } },
    });
    return { job };
  });
