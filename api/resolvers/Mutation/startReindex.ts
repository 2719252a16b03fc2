import { PlatformError } from '../../../platform/errors.ts';
import { canary, MAX_CANARIES, type Canary } from '../../../indexer/reindex/canaries.ts';
import { startReindex as start } from '../../../indexer/reindex/start-reindex.ts';
import { asImageId, type ImageId } from '../../../store/ids.ts';
import { getVisibleCollection } from '../../auth/visible.ts';
import { audit } from '../../audit.ts';
import type { CanaryInput, MutationResolvers } from '../../generated/resolvers.ts';
import { checkIdempotencyKey } from '../../idempotency-key.ts';
import { idOf, requireIdOf } from '../../node-ids.ts';
import { inField, payload } from '../user-errors.ts';

export const startReindex: NonNullable<MutationResolvers['startReindex']> = (
  _parent,
  { input },
  context,
) =>
  payload({ job: null }, async () => {
    const { database, vision, models, now } = context.services;
    const collection = await inField('collection', getVisibleCollection(context, input.collection));
    const idempotencyKey = await inField('idempotencyKey', () =>
      checkIdempotencyKey(input.idempotencyKey),
    );
    const imageIds = await inField('imageIds', () => input.imageIds?.map(imageIdOf) ?? null);
    const canaries = await inField('canaries', () => readCanaries(input.canaries ?? []));
    await models.visionSpaces(); // bundles that were added have their rows
    const visionSpace = input.visionSpace ?? null;
    const request = {
      ...{ collectionId: collection.id, scope: input.scope ?? 'ALL', imageIds, canaries },
      visionSpace: visionSpace === null ? null : (idOf('VisionSpace', visionSpace) ?? visionSpace),
      ...{ dryRun: input.dryRun ?? false, createdBy: context.viewer.prefix, idempotencyKey },
      now: now(),
    };
    const job = await start({ database, models: vision }, request);
    await audit(context, {
      ...{ action: 'startReindex', subject: collection.name },
      detail: { job: job.id, visionSpace, scope: request.scope, dryRun: request.dryRun },
    });
    return { job };
  });

function imageIdOf(id: string): ImageId {
  return asImageId(requireIdOf('Image', id));
}

function readCanaries(inputs: readonly CanaryInput[]): readonly Canary[] {
  if (inputs.length > MAX_CANARIES) throw bad(`"canaries" takes at most ${MAX_CANARIES}.`);
  return inputs.map(({ text, imageIds, within, atLeast }) => {
    const ids = imageIds?.map((id) => requireIdOf('Image', id)) ?? null;
    const parsed = canary.safeParse({
      ...{ text, imageIds: ids, within: within ?? 10, atLeast: atLeast ?? 1 },
    });
    if (parsed.success) return parsed.data;
    const rules =
      'a text of 1 to 2,000 characters, "within" from 1 to 100, "atLeast" from 1 to that';
    throw bad(`A canary has ${rules}, and at least one of "imageIds" where they are given.`);
  });
}

function bad(message: string): PlatformError {
  return new PlatformError('BAD_USER_INPUT', message);
}
