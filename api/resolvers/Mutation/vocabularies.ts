import { FORMATS } from '../../../indexer/tagging/vocabulary-formats/formats.ts';
import {
  checkDescription,
  checkVocabularyName,
  type WrittenLabel,
} from '../../../indexer/tagging/vocabulary-input.ts';
import { toNewLabels } from '../../../indexer/tagging/written-vocabulary.ts';
import { PlatformError } from '../../../platform/errors.ts';
import { putVocabulary as put } from '../../../store/put-vocabulary.ts';
import { deleteVocabulary as remove, getVocabulary } from '../../../store/vocabularies.ts';
import { audit } from '../../audit.ts';
import type { Context } from '../../context.ts';
import type { LabelInput, MutationResolvers, ResolversTypes } from '../../generated/resolvers.ts';
import { visibleImages } from '../../image-names.ts';
import { encodeNodeId } from '../../node-ids.ts';
import { inField, payload, toUserError } from '../user-errors.ts';

type Payload = Awaited<ResolversTypes['VocabularyPayload']>;

/** Of a file's text. */
const MOST_BYTES = 10_000_000;

export const putVocabulary: NonNullable<MutationResolvers['putVocabulary']> = (
  _parent,
  { input },
  context,
) =>
  vocabularyPayload(() =>
    putWritten(context, 'labels', {
      ...{ action: 'putVocabulary', name: input.name, description: input.description ?? null },
      labels: input.labels.map(toWritten),
      ifVersion: input.ifVersion ?? null,
    }),
  );

export const importVocabulary: NonNullable<MutationResolvers['importVocabulary']> = (
  _parent,
  { input },
  context,
) =>
  vocabularyPayload(async () => {
    const written = await inField('content', () => {
      checkSize(input.content);
      return FORMATS[input.format].read(input.content);
    });
    return putWritten(context, 'content', {
      ...{ action: 'importVocabulary', name: input.name ?? written.name ?? '' },
      ...{ description: written.description, labels: written.labels },
      ifVersion: input.ifVersion ?? null,
    });
  });

export const deleteVocabulary: NonNullable<MutationResolvers['deleteVocabulary']> = (
  _parent,
  { input },
  context,
) =>
  payload({ deletedVocabularyId: null }, async () => {
    const { pool } = context.services.database;
    const { name } = await inField('vocabulary', getVocabulary(pool, input.vocabulary));
    const id = await inField('vocabulary', remove(pool, name));
    await audit(context, { action: 'deleteVocabulary', subject: name, detail: { id } });
    return { deletedVocabularyId: encodeNodeId('Vocabulary', id) };
  });

interface Written {
  /** The mutation's name. */
  readonly action: string;
  readonly name: string;
  readonly description: string | null;
  readonly labels: readonly WrittenLabel[];
  readonly ifVersion: number | null;
}

/** `field`: of the input, that has the labels. */
async function putWritten(context: Context, field: string, written: Written): Promise<Payload> {
  const { database, now } = context.services;
  const { action, ifVersion } = written;
  const name = await inField('name', () => checkVocabularyName(written.name));
  const inDescription = action === 'putVocabulary' ? 'description' : field;
  const description = await inField(inDescription, () => checkDescription(written.description));
  const labels = await inField(field, () => toNewLabels(written.labels, visibleImages(context)));
  const { vocabulary, changed } = await inField(
    'ifVersion',
    put(database.pool, {
      ...{ name, description, labels, ifVersion, now: now(), createdBy: context.viewer.prefix },
    }),
  );
  const detail = { version: vocabulary.version, labels: labels.length, changed };
  await audit(context, { action, subject: name, detail });
  return { vocabulary, changed, userErrors: [] };
}

async function vocabularyPayload(work: () => Promise<Payload>): Promise<Payload> {
  try {
    return await work();
  } catch (error) {
    return { vocabulary: null, changed: false, userErrors: [toUserError(error)] };
  }
}

/** A label of an input. */
export function toWritten({ threshold, ...label }: LabelInput): WrittenLabel {
  return {
    name: label.name,
    prompts: label.prompts ?? [],
    negativePrompts: label.negativePrompts ?? [],
    examples: label.examples ?? [],
    threshold: threshold ?? null,
    parents: label.parents ?? [],
  };
}

function checkSize(content: string): void {
  const bytes = Buffer.byteLength(content);
  if (bytes <= MOST_BYTES) return;
  throw new PlatformError('BAD_USER_INPUT', `A file has at most 10 MB; this has ${bytes} bytes.`);
}
