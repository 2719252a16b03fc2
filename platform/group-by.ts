/** The items by key, each group in their order. (`Map.groupBy` came with Node 21.) */
export function groupBy<T, Key = string>(
  items: readonly T[],
  keyOf: (item: T) => Key,
): Map<Key, T[]> {
  const groups = new Map<Key, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
