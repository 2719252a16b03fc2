import type { LabelId } from '../../store/ids.ts';
import type { LabelInHierarchy } from '../../store/vocabulary-labels.ts';

/*
 * Labels above labels (is-a). A label may have several parents; none is above itself.
 */

type Relatives = ReadonlyMap<LabelId, readonly LabelId[]>;

/** All that are above each of the labels, nearest first, each once; labels that have none are left out. */
export function ancestorsOf(labels: readonly LabelInHierarchy[]): Relatives {
  return closureOf(new Map(labels.map(({ id, parentIds }) => [id, parentIds])));
}

function closureOf(next: Relatives): Relatives {
  const closure = [...next].map(([id, nearest]) => [id, reach(id, nearest, next)] as const);
  return new Map(closure.filter(([, reached]) => reached.length > 0));
}

/** In the order of their distance; comes to an end in a circle, too. */
function reach(start: LabelId, nearest: readonly LabelId[], next: Relatives): readonly LabelId[] {
  const reached = new Set(nearest);
  for (const id of reached) {
    for (const further of next.get(id) ?? []) reached.add(further); // a set's loop comes to what is added meanwhile
  }
  reached.delete(start);
  return [...reached];
}
