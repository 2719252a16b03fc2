import { startIngest as start } from '../../../indexer/jobs/ingest.ts';
import { getVisibleCollection } from '../../auth/visible.ts';
import { audit } from '../../audit.ts';
import type { MutationResolvers } from '../../generated/resolvers.ts';
import { checkIdempotencyKey } from '../../idempotency-key.ts';
import { inField, payload } from '../user-errors.ts';

export const startIngest: NonNullable<MutationResolvers['startIngest']> = (
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
      collectionId: collection.id,
      prune: input.prune ?? false,
      dryRun: input.dryRun ?? false,
      createdBy: context.viewer.prefix,
      idempotencyKey,
      now: now(),
    });
    await audit(context, {
      ...{ action: 'startIngest', subject: collection.name, detail: { job: job.id } },
    });
    return { job };
  });
