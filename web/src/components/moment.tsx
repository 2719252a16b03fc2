import type { ReactNode } from 'react';

/** When something happened, in the time of who reads it. */
export function Moment({ at }: { readonly at: string }): ReactNode {
  return <time dateTime={at}>{formatMoment(at)}</time>;
}

function formatMoment(instant: string): string {
  const time = new Date(instant);
  if (Number.isNaN(time.getTime())) return instant;
  return time.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
}

/** `2 h 5 min`, `45 s`: two units at most. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const units: readonly (readonly [string, number])[] = [
    ['d', Math.floor(whole / 86_400)],
    ['h', Math.floor(whole / 3600) % 24],
    ['min', Math.floor(whole / 60) % 60],
    ['s', whole % 60],
  ];
  const first = units.findIndex(([, count]) => count > 0);
  if (first === -1) return 'under 1 s';
  return units
    .slice(first, first + 2)
    .filter(([, count]) => count > 0)
    .map(([unit, count]) => `${count} ${unit}`)
    .join(' ');
}
