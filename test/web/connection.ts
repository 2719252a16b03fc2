/** A page of `items`, as the schema's connections have it; cursors are places in the list. */
export function connection<Item>(
  items: readonly Item[],
  first: number,
  after: string | null | undefined,
): {
  edges: readonly { cursor: string; node: Item }[];
  pageInfo: object;
  totalCount: number;
} {
  const start = after == null ? 0 : Number(after) + 1;
  const edges = items
    .slice(start, start + first)
    .map((node, i) => ({ node, cursor: String(start + i) }));
  return {
    edges,
    pageInfo: {
      hasNextPage: start + first < items.length,
      hasPreviousPage: false,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount: items.length,
  };
}
