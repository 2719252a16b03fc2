import type { ReactNode } from 'react';
import type { ImageQuery } from '../generated/operations.ts';
import type { Hit } from '../results/result-page.ts';
import { FactList } from './fact-list.tsx';
import { formatBytes } from './file-size.ts';
import { metadataFacts } from './metadata-facts.ts';

type ImageDetails = NonNullable<ImageQuery['image']>;

export function ImageFacts({
  image,
  ranking,
}: {
  readonly image: ImageDetails;
  readonly ranking: Hit['ranking'];
}): ReactNode {
  const facts: readonly (readonly [string, string])[] = [
    ...(ranking === null
      ? []
      : [['Rank', `${ranking.rank}, cosine ${ranking.score.toFixed(2)}`] as const]),
    ['Collection', image.collection.name],
    ['Path', image.path],
    ['Size', `${image.width} × ${image.height}`],
    ['File', `${image.format}, ${formatBytes(image.bytes)}`],
    ...(image.takenAt === null ? [] : [['Taken', formatTime(image.takenAt)] as const]),
    ['Added', formatTime(image.addedAt)],
    ...metadataFacts(image.metadata),
  ];
  return <FactList facts={facts} />;
}

/** In UTC, as most cameras note no time zone and the API takes theirs for UTC. */
function formatTime(instant: string): string {
  const time = new Date(instant);
  if (Number.isNaN(time.getTime())) return instant;
  return time.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
}
