import { previewRun } from '../../../indexer/tagging/preview.ts';
import { resolveTarget } from '../../../indexer/tagging/start-run.ts';
import { readLabels } from '../../../store/vocabulary-labels.ts';
import type { Context } from '../../context.ts';
import type { MutationResolvers, TagRunInput } from '../../generated/resolvers.ts';
import { getRunTexts, readTagRunInput } from '../../tag-run-input.ts';
import { toUserError } from '../user-errors.ts';

const NOTHING = { images: 0, tagged: 0, tags: 0, labels: [], estimatedSeconds: 0, textModel: null };

export const previewTagRun: NonNullable<MutationResolvers['previewTagRun']> = async (
  _parent,
  { input },
  context,
) => {
  try {
    return { ...(await preview(context, input)), userErrors: [] };
  } catch (error) {
    return { ...NOTHING, userErrors: [toUserError(error)] };
  }
};

async function preview(context: Context, input: TagRunInput) {
  const { database } = context.services;
  const { pool } = database;
  const { request } = await readTagRunInput(context, input);
  const target = await resolveTarget(database, request);
  const { texts, textModel } = await getRunTexts(context, target.textModelId);
  const labels = await readLabels(pool, target);
  const options = { ...request.options, signal: context.signal };
  const found = await previewRun({ pool, texts }, target, labels, options);
  return { ...found, labels: [...found.labels], textModel };
}
