import type { Estimate, LabelReportRecord, TagReportRecord } from './report.ts';

export interface ReportTitle {
  readonly collection: string;
  readonly vocabulary: string;
  /** `name@version`. */
  readonly textModel: string;
}

/** Plots of so many labels, those with the most verdicts. */
const MOST_PLOTS = 60;
const STYLE = `body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1f2328;background:#fff}
table{border-collapse:collapse;width:100%}th,td{padding:.3rem .6rem;border-bottom:1px solid #d1d9e0;text-align:right;white-space:nowrap}
th:first-child,td:first-child,td:last-child,th:last-child{text-align:left}.plots{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0}figcaption{text-align:center}
.wide{overflow-x:auto}`;

/** A page of its own: everything is in it, nothing is fetched. */
export function reportPage(report: TagReportRecord, title: ReportTitle): string {
  const { tagRun, images, tags, precision, recall, labels } = report;
  const heading = `Tags of ${title.collection} with ${title.vocabulary}`;
  const facts = [
    `${tags} tags of ${images} images, version ${tagRun.version} of the vocabulary, text model ${title.textModel}, run ${tagRun.id}`,
    `Precision ${range(precision)}. Recall ${recall === null ? 'unknown: nothing below the thresholds was reviewed' : range(recall)}.`,
    'Intervals are 95 %. Shares are of what the run gave, also where people have rejected some of it since.',
  ];
  const judged = labels
    .filter(({ reliability }) => reliability.length > 0)
    .sort((a, b) => verdictsOf(b) - verdictsOf(a))
    .slice(0, MOST_PLOTS);
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escape(heading)}</title><style>${STYLE}</style></head><body>`,
    `<h1>${escape(heading)}</h1>`,
    ...facts.map((fact) => `<p>${escape(fact)}</p>`),
    `<h2>Labels</h2><div class="wide"><table><thead><tr>${HEADINGS.map((name) => `<th>${name}</th>`).join('')}</tr></thead><tbody>`,
    ...labels.map(rowOf),
    '</tbody></table></div>',
    '<h2>Reliability</h2><p>Share accepted over probability; on the dashed line a probability means what it says. Circles grow with the verdicts.</p>',
    `<div class="plots">${judged.map(reliabilityPlot).join('\n')}</div>`,
    '</body></html>\n',
  ].join('\n');
}

const HEADINGS = [
  ...['label', 'tags', 'threshold', 'verdicts', 'precision', '', 'recall', 'calibration error'],
  'confused with',
];

function rowOf(label: LabelReportRecord): string {
  const cells = [
    ...[escape(label.label), label.count, label.threshold.toFixed(2), verdictsOf(label)],
    ...[range(label.precision), bar(label.precision)],
    ...[label.recall === null ? '' : range(label.recall), label.calibrationError?.toFixed(3) ?? ''],
    escape(label.confusedWith.map((one) => `${one.label} (${one.count})`).join(', ')),
  ];
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

function verdictsOf({ accepted, rejected }: LabelReportRecord): number {
  return accepted + rejected;
}

export function range({ value, low, high }: Estimate): string {
  const percent = (share: number): string => (100 * share).toFixed(0);
  return value === null ? 'unknown' : `${percent(value)} % (${percent(low)}–${percent(high)})`;
}

const BAR = { width: 160, height: 16 };

/** The share, with its interval as a line. */
function bar({ value, low, high }: Estimate): string {
  if (value === null) return '';
  const x = (share: number): string => (share * BAR.width).toFixed(1);
  const middle = BAR.height / 2;
  return [
    `<svg role="img" aria-label="precision" width="${BAR.width}" height="${BAR.height}"><rect width="${BAR.width}" height="${BAR.height}" fill="#f0f3f6"/>`,
    `<rect width="${x(value)}" height="${BAR.height}" fill="#54aeff"/>`,
    `<path d="M${x(low)} ${middle}H${x(high)}" stroke="#0a3069" stroke-width="2"/></svg>`,
  ].join('');
}

const PLOT = { side: 160, margin: 24 };

function reliabilityPlot({ label, reliability, calibrationError }: LabelReportRecord): string {
  const { side, margin } = PLOT;
  const at = (share: number): number => Math.round(share * side * 10) / 10;
  const points = reliability.map(({ probability, accepted, verdicts }) => {
    const radius = Math.min(9, 2 + Math.sqrt(verdicts)).toFixed(1);
    const x = margin + at(probability);
    return `<circle cx="${x}" cy="${side - at(accepted)}" r="${radius}" fill="#0969da" fill-opacity=".7"><title>${verdicts} verdicts: probability ${probability.toFixed(2)}, accepted ${accepted.toFixed(2)}</title></circle>`;
  });
  const caption = calibrationError === null ? label : `${label}: ${calibrationError.toFixed(3)}`;
  return [
    `<figure><svg role="img" aria-label="${escape(label)}" width="${side + margin + 10}" height="${side + margin}" viewBox="0 -10 ${side + margin + 10} ${side + margin}" font-size="10">`,
    `<path d="M${margin} 0V${side}H${margin + side}" fill="none" stroke="#59636e"/><path d="M${margin} ${side}L${margin + side} 0" stroke="#818b98" stroke-dasharray="4"/>`,
    `<text x="${margin - 4}" y="6" text-anchor="end">1</text><text x="${margin - 4}" y="${side}" text-anchor="end">0</text><text x="${margin + side}" y="${side + 11}" text-anchor="end">1</text>`,
    ...points,
    `</svg><figcaption>${escape(caption)}</figcaption></figure>`,
  ].join('');
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
