import { findFullNames } from '../../store/label-names.ts';
import type { TagVerdict } from '../../store/tag-decisions.ts';
import type { Queryable } from '../../store/transaction.ts';

/** A verdict by the label's name, as people give it and get it back. */
export interface NamedVerdict extends Omit<TagVerdict, 'labelId'> {
  readonly vocabulary: string;
  readonly label: string;
}

export async function nameVerdicts(
  db: Queryable,
  verdicts: readonly TagVerdict[],
): Promise<readonly NamedVerdict[]> {
  const names = await findFullNames(db, [...new Set(verdicts.map(({ labelId }) => labelId))]);
  return verdicts.flatMap(({ labelId, ...verdict }) => {
    const name = names.get(labelId);
    return name ? [{ ...verdict, ...name }] : [];
  });
}
