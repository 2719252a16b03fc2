import type { ReactNode } from 'react';
import type { ImageQuery } from '../generated/operations.ts';
import type { Hit } from '../results/result-page.ts';
import { metadataFacts } from './metadata-facts.ts';
import './image-facts.css';

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
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name} className="facts-row">
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** In UTC, as most cameras note no time zone and the API takes theirs for UTC. */
function formatTime(instant: string): string {
  const time = new Date(instant);
  if (Number.isNaN(time.getTime())) return instant;
  return time.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
}
