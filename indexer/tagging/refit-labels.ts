import type { Database } from '../../store/database.ts';
import type { CollectionId, LabelId, TextModelId } from '../../store/ids.ts';
import { countVocabulariesOf } from '../../store/label-names.ts';
import type { LabelRecord } from '../../store/vocabularies.ts';
import { findLabelsByIds } from '../../store/vocabulary-labels.ts';
import { calibrateLabels } from './calibrate-labels.ts';
import type { Calibration } from './calibration.ts';
import { prepareLabels, type LabelEncoder } from './prepared-labels.ts';
import { resolveModels } from './start-run.ts';

export interface RefitServices {
  readonly database: Database;
  readonly getTexts: (id: TextModelId) => Promise<LabelEncoder>;
}

export interface RefittedLabel {
  readonly label: LabelRecord;
  readonly calibration: Calibration;
}

/**
 * Fits labels of a collection anew, as their vocabularies' newest versions define them. Labels of an open vocabulary have no vector, and
 * are left out. Throws `GENERATION_NOT_READY` and `MODEL_MISMATCH`.
 */
export async function refitLabels(
  { database, getTexts }: RefitServices,
  collectionId: CollectionId,
  labelIds: readonly LabelId[],
): Promise<readonly RefittedLabel[]> {
  const { pool } = database;
  const defined = await countVocabulariesOf(pool, labelIds);
  const labels = await findLabelsByIds(
    pool,
    labelIds.filter((id) => defined.has(id)),
  );
  if (labels.length === 0) return [];
  const scope = await resolveModels(database, collectionId);
  const texts = await getTexts(scope.textModelId);
  const prepared = await prepareLabels({ ...scope, db: pool, texts }, labels);
  const fitted = await calibrateLabels({ pool }, scope, prepared);
  return labels.flatMap((label) => {
    const calibration = fitted.get(label.id);
    return calibration ? [{ label, calibration }] : [];
  });
}
