import { refitLabels, type RefittedLabel } from '../../../indexer/tagging/refit-labels.ts';
import { isCalibrated } from '../../../indexer/tagging/calibration.ts';
import type { NamedVerdict } from '../../../indexer/tagging/named-verdicts.ts';
import { reviewTags as review } from '../../../indexer/tagging/review-tags.ts';
import { groupBy } from '../../../platform/group-by.ts';
import { PlatformError } from '../../../platform/errors.ts';
import type { CollectionId, ImageId } from '../../../store/ids.ts';
import type { ImageRecord } from '../../../store/images.ts';
import type { Pair } from '../../../store/tag-decisions.ts';
import { findVisibleImage } from '../../auth/visible.ts';
import type { Context } from '../../context.ts';
import type {
  LabelCalibration,
  MutationResolvers,
  TagVerdictInput,
} from '../../generated/resolvers.ts';
import { storedVerdict, toTagVerdict } from '../../tag-verdicts.ts';
import { getRunTexts } from '../../tag-run-input.ts';
import { inField, toUserError } from '../user-errors.ts';

const MOST_VERDICTS = 1000;

export const reviewTags: NonNullable<MutationResolvers['reviewTags']> = async (
  _parent,
  { input },
  context,
) => {
  try {
    const { database, now } = context.services;
    const images = await inField('verdicts', getImages(context, input.verdicts));
    const verdicts = input.verdicts.flatMap((one) => toVerdict(one, images));
    const all = [...images.values()];
    const collectionOf = new Map(all.map(({ id, collectionId }) => [id, collectionId]));
    const request = { verdicts, collectionOf, decidedBy: context.viewer.prefix, now: now() };
    const { changed, undo } = await inField('verdicts', review(database.pool, request));
    context.loaders.tags.clearAll();
    const calibrations = await refit(context, changed, collectionOf);
    const done = { changed: changed.length, undo: undo.map(toTagVerdict), calibrations };
    return { ...done, userErrors: [] };
  } catch (error) {
    return { changed: 0, undo: [], calibrations: [], userErrors: [toUserError(error)] };
  }
};

/** By the id as it was given. */
async function getImages(
  context: Context,
  verdicts: readonly TagVerdictInput[],
): Promise<ReadonlyMap<string, ImageRecord>> {
  if (verdicts.length < 1 || verdicts.length > MOST_VERDICTS) {
    const message = `"verdicts" takes 1 to ${MOST_VERDICTS}, not ${verdicts.length}: give more in several requests.`;
    throw new PlatformError('BAD_USER_INPUT', message);
  }
  const ids = [...new Set(verdicts.map(({ imageId }) => imageId))];
  const images = await Promise.all(ids.map((id) => findVisibleImage(context, id)));
  const found = new Map(ids.flatMap((id, i) => (images[i] ? [[id, images[i]] as const] : [])));
  const missing = ids.filter((id) => !found.has(id));
  if (missing.length === 0) return found;
  const named = missing.slice(0, 5).map((id) => `"${id.slice(0, 100)}"`);
  const message = `Nothing was changed: ${missing.length} of the images aren't there, as ${named.join(', ')}.`;
  throw new PlatformError('NOT_FOUND', message);
}

function toVerdict(
  { imageId, vocabulary, label, verdict, isSampled, isManual }: TagVerdictInput,
  images: ReadonlyMap<string, ImageRecord>,
): readonly NamedVerdict[] {
  const image = images.get(imageId);
  const flags = { isSampled: isSampled ?? false, isManual: isManual ?? false };
  const said = { vocabulary, label, verdict: storedVerdict(verdict) };
  return image === undefined ? [] : [{ ...said, ...flags, imageId: image.id }];
}

/** What was said is stored by now; a collection that can't be searched keeps the fits it had. */
async function refit(
  context: Context,
  changed: readonly Pair[],
  collectionOf: ReadonlyMap<ImageId, CollectionId>,
): Promise<LabelCalibration[]> {
  const { database, logger } = context.services;
  const getTexts = async (id: Parameters<typeof getRunTexts>[1]) =>
    (await getRunTexts(context, id)).texts;
  const calibrations: LabelCalibration[] = [];
  for (const [id, pairs] of groupBy(changed, ({ imageId }) => collectionOf.get(imageId))) {
    if (id === undefined) continue;
    const labels = [...new Set(pairs.map(({ labelId }) => labelId))];
    try {
      const refitted = await refitLabels({ database, getTexts }, id, labels);
      calibrations.push(...(await describe(context, refitted)));
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error;
      logger.warn({ collection: id, code: error.code }, 'labels were reviewed but not fitted anew');
    }
  }
  return calibrations;
}

async function describe(
  { loaders }: Context,
  refitted: readonly RefittedLabel[],
): Promise<LabelCalibration[]> {
  const vocabularies = await Promise.all(
    refitted.map(({ label }) => loaders.vocabulary.load(label.vocabularyId)),
  );
  return refitted.map(({ label, calibration }, i) => ({
    ...{ vocabulary: vocabularies[i]?.name ?? '', label: label.name },
    isCalibrated: isCalibrated(calibration),
    ...{ accepted: calibration.accepted, rejected: calibration.rejected },
  }));
}
