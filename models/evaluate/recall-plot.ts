import type { RetrievalReport, RetrievalResult } from './retrieval.ts';

const [WIDTH, HEIGHT] = [640, 420];
const PLOT = { left: 60, right: 620, top: 50, bottom: 360 };
const SERIES = [
  { key: 'textToImage', name: 'text → image', colour: '#0969da' },
  { key: 'imageToText', name: 'image → text', colour: '#bc4c00' },
] as const;
const LARGEST_K = 100;

/** Recall@k of both directions over k (logarithmic), with the 95 % interval at 1, 5 and 10, as an SVG picture. */
export function plotRecall(report: RetrievalReport, title: string): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-family="system-ui, sans-serif" font-size="13" fill="#1f2328">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    `<text x="${PLOT.left}" y="26" font-size="16" font-weight="600">${escapeXml(title)}</text>`,
    ...axes(),
    ...SERIES.flatMap(({ key, name, colour }, i) => curve(report[key], name, colour, i)),
    '</svg>\n',
  ].join('\n');
}

function axes(): string[] {
  const across = [0, 20, 40, 60, 80, 100].map((percent) => {
    const y = yOf(percent);
    const line = `<path d="M${PLOT.left} ${y}H${PLOT.right}" stroke="#d1d9e0"/>`;
    return `${line}<text x="${PLOT.left - 8}" y="${y + 4}" text-anchor="end">${percent} %</text>`;
  });
  const up = [1, 2, 5, 10, 20, 50, 100].map((k) => {
    const tick = `<path d="M${xOf(k)} ${PLOT.bottom}v5" stroke="#59636e"/>`;
    return `${tick}<text x="${xOf(k)}" y="${PLOT.bottom + 20}" text-anchor="middle">${k}</text>`;
  });
  const middle = (PLOT.left + PLOT.right) / 2;
  return [
    ...across,
    ...up,
    `<text x="${middle}" y="${HEIGHT - 14}" text-anchor="middle">k (results looked at)</text>`,
  ];
}

function curve(result: RetrievalResult, name: string, colour: string, index: number): string[] {
  const points = result.curve.map(({ k, recall }) => `${xOf(k)},${yOf(recall)}`);
  const bars = ([1, 5, 10] as const).map((k) => {
    const [low, high] = result.interval[`r${k}`];
    const value = result[`r${k}`];
    const bar = `<path d="M${xOf(k)} ${yOf(low)}V${yOf(high)}" stroke="${colour}" stroke-width="2"/>`;
    const label = `<text ${labelPlace(xOf(k), yOf(value), index, k)} fill="${colour}">${value.toFixed(1)}</text>`;
    return `${bar}<circle cx="${xOf(k)}" cy="${yOf(value)}" r="4" fill="${colour}"/>${label}`;
  });
  const y = PLOT.bottom - 40 + index * 20;
  return [
    `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...bars,
    `<path d="M${PLOT.right - 130} ${y}h22" stroke="${colour}" stroke-width="2"/>`,
    `<text x="${PLOT.right - 102}" y="${y + 4}">${name}</text>`,
  ];
}

/** Below the lower curve, above the upper one, never on the line. */
function labelPlace(x: number, y: number, index: number, k: number): string {
  if (index === 0) return `x="${x + 8}" y="${y + 18}"`;
  return k === 1 ? `x="${x + 4}" y="${y - 16}"` : `x="${x - 8}" y="${y - 8}" text-anchor="end"`;
}

function xOf(k: number): number {
  return round(PLOT.left + ((PLOT.right - PLOT.left) * Math.log(k)) / Math.log(LARGEST_K));
}

function yOf(percent: number): number {
  return round(PLOT.bottom - ((PLOT.bottom - PLOT.top) * percent) / 100);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
