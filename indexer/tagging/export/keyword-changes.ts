import type { ImageId, LabelId } from '../../../store/ids.ts';
import { findLabelNames } from '../../../store/label-names.ts';
import { findRejectedNames } from '../../../store/rejected-tags.ts';
import type { Queryable } from '../../../store/transaction.ts';
import { readHierarchy } from '../../../store/vocabulary-labels.ts';
import { joinParts, partsOf } from '../../ingest/keywords/clean-keywords.ts';
import type { KeywordChange } from './merge-xmp.ts';
import type { TaggedImage } from './tagged-images.ts';

/** Of a label that is below others: the names from the top to it. */
export type Chains = ReadonlyMap<LabelId, readonly string[]>;

/** Of labels with several parents the first counts: a keyword stands in one place of a hierarchy. */
export async function readChains(db: Queryable): Promise<Chains> {
  const links = await readHierarchy(db, null);
  const parents = new Map(
    links.flatMap(({ id, parentIds: [first] }) => (first ? [[id, first]] : [])),
  );
  const names = await findLabelNames(db, [...new Set([...parents].flat())]);
  const chains = new Map<LabelId, readonly string[]>();
  for (const { id } of links) {
    const chain: string[] = [];
    for (let at: LabelId | undefined = id; at !== undefined; at = parents.get(at)) {
      chain.unshift(names.get(at) ?? '');
      if (chain.length > parents.size + 1) break; // a circle; there is none
    }
    chains.set(id, chain);
  }
  return chains;
}

/** What is to be changed in the sidecars of a page of images. */
export async function keywordChanges(
  db: Queryable,
  page: readonly TaggedImage[],
  { chains, vocabulary }: { readonly chains: Chains; readonly vocabulary: string | null },
): Promise<ReadonlyMap<ImageId, KeywordChange>> {
  const ids = page.map(({ image }) => image.id);
  const rejected = await findRejectedNames(db, ids, vocabulary);
  return new Map(
    page.map((one) => [one.image.id, changeOf(one, rejected.get(one.image.id) ?? [], chains)]),
  );
}

/** A keyword stays while the image has a tag of its name, in whatever vocabulary: what is rejected is another one of that name. */
function changeOf(
  { tags, names }: TaggedImage,
  rejected: readonly string[],
  chains: Chains,
): KeywordChange {
  const subject = [...new Set(tags.map(({ label }) => label))];
  const without = new Set(rejected.filter((name) => !names.has(name)));
  const paths = tags.flatMap(({ labelId }) => {
    const chain = chains.get(labelId) ?? [];
    const isPlain = chain.every((name) => partsOf(name).length === 1 && !without.has(name));
    return chain.length > 0 && isPlain ? [joinParts(chain)] : [];
  });
  return { subject, without, hierarchicalSubject: longest(paths) };
}

/** Without those that others go on from: `animal|dog` says `animal`. */
function longest(paths: readonly string[]): readonly string[] {
  const distinct = [...new Set(paths)];
  return distinct.filter(
    (path) => !distinct.some((other) => other.startsWith(joinParts([path, '']))),
  );
}
