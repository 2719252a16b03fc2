import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connection } from './connection.ts';

/** The sample photos, and searching them by the words of their titles. */
export interface Picture {
  readonly id: string;
  readonly path: string;
  readonly words: readonly string[];
  readonly width: number;
  readonly height: number;
  readonly bytes: Buffer;
}

const PHOTOS = join(import.meta.dirname, '../../samples/photos');

export async function readPictures(): Promise<Picture[]> {
  const lines = (await readFile(join(PHOTOS, 'index.jsonl'), 'utf8')).trim().split('\n');
  return Promise.all(
    lines.map(async (line, i) => {
      const entry = JSON.parse(line) as Record<'image' | 'title', string> &
        Record<'width' | 'height', number>;
      const { image, title, width, height } = entry;
      const bytes = await readFile(join(PHOTOS, image));
      return { id: `p${i}`, path: `photos/${image}`, words: wordsOf(title), width, height, bytes };
    }),
  );
}

export function wordsOf(text: string): readonly string[] {
  return text
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word.length > 2);
}

/** Score of a picture that has no word in common with the search. */
export const UNRELATED = 0.2;

export interface Ranked {
  readonly node: Picture;
  readonly score: number;
}

/** By words in common; all others follow. */
export function rank(pictures: readonly Picture[], words: readonly string[]): readonly Ranked[] {
  const ranked = pictures.map((node, i) => {
    const common = node.words.filter((word) => words.includes(word)).length;
    return { node, score: Math.min(UNRELATED + common / 10, 0.9) - i / 10_000 };
  });
  return ranked.sort((a, b) => b.score - a.score);
}

export function searchConnection(
  hits: readonly Ranked[],
  first: number,
  after: string | null,
): object {
  const page = connection(hits, first, after);
  return {
    ...page,
    edges: page.edges.map(({ cursor, node }) => ({ ...node, cursor, rank: Number(cursor) + 1 })),
    path: 'EXACT',
    tookMs: { encode: 3, index: 0.4, hydrate: 0.6, total: 4 },
    cutReason: hits.length === 0 ? 'NOTHING_RELEVANT' : null,
  };
}
