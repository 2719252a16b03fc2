import { checkSampleSize, startVerify as start } from '../../../indexer/jobs/verify.ts';
import { getVisibleCollection } from '../../auth/visible.ts';
import { audit } from '../../audit.ts';
import type { MutationResolvers } from '../../generated/resolvers.ts';
import { checkIdempotencyKey } from '../../idempotency-key.ts';
import { inField, payload } from '../user-errors.ts';

const SAMPLE = 20;

export const startVerify: NonNullable<MutationResolvers['startVerify']> = (
  _parent,
  { input },
  context,
) =>
  payload({ job: null }, async () => {
    const { database, now } = context.services;
    const collection = await inField('collection', getVisibleCollection(context, input.collection));
    const sample = await inField('sample', () => checkSampleSize(input.sample ?? SAMPLE));
    const idempotencyKey = await inField('idempotencyKey', () =>
      checkIdempotencyKey(input.idempotencyKey),
    );
    const job = await start(database, {
      ...{ collectionId: collection.id, sample, idempotencyKey, now: now() },
      createdBy: context.viewer.prefix,
    });
    await audit(context, {
      ...{ action: 'startVerify', subject: collection.name, detail: { job: job.id, sample } },
    });
    return { job };
  });
