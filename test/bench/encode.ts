/**
 * How fast the encoders are, as ratios measured in one run:
 *
 *     npm run bench:encode -- --photos DIR [--float32 FILE] [--json FILE]
 *
 * - photos: `ImageEncoder.encodeAll` ÷ a bare loop (sharp, then one onnxruntime session with all cores) over the same files
 * - texts: `TextEncoder.encode` ÷ a bare loop (tokenizer, batches of 32 as they come, sessions with all cores)
 * - ÷ transformers.js running the same language graph (install it with `npm ci --prefix test/bench`); its image processors
 *   give floats, our graph takes bytes, so only text can be compared
 * - quantised ÷ float32 language graph, one core (`make_default.py --float32 FILE` writes the latter)
 * - the budgets of the default bundle, one core, with that core's float32 speed beside them, as cores differ by a factor
 *
 * Each figure is the best of several rounds, ours and theirs taking turns.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { Bundle } from '../../models/bundle.ts';
import { ImageEncoder } from '../../models/image-encoder.ts';
import { OnnxSession } from '../../models/onnx-session.ts';
import { GraphBuilder } from '../../models/onnx/graph-builder.ts';
import { loadTextSessions, loadVisionSession, type TokenBatch } from '../../models/sessions.ts';
import { TextEncoder } from '../../models/text-encoder.ts';
import { Tokenizer } from '../../models/tokenizer.ts';
import { formatTable } from '../../bin/table.ts';
import { chunk } from '../../platform/chunk.ts';
import { Random } from '../../platform/random.ts';
import { loadTransformersJs } from './transformers-js.ts';

const ROUNDS = 5;
const [PHOTOS, TEXTS, BATCH] = [200, 640, 32];
const cores = availableParallelism();

const { values: flags } = parseArgs({
  options: {
    photos: { type: 'string' },
    bundle: { type: 'string', default: join(import.meta.dirname, '../../models/bundles/default') },
    float32: { type: 'string' },
    json: { type: 'string' },
  },
});
const photoFolder = flags.photos ?? join(import.meta.dirname, '../../samples/photos/images');
const files = readdirSync(photoFolder)
  .slice(0, PHOTOS)
  .map((name) => join(photoFolder, name));
const texts = captions(TEXTS);
const bundle = await Bundle.open(flags.bundle);
const tokenizer = await Tokenizer.load(bundle);

interface Row {
  readonly what: string;
  readonly value: number;
  readonly goal: string;
  readonly met: boolean | null;
}
const rows: Row[] = [];
const atLeast = (what: string, value: number, goal: number): void => {
  rows.push({ what, value, goal: `≥ ${goal}`, met: value >= goal });
};
const atMost = (what: string, value: number, goal: number): void => {
  rows.push({ what, value, goal: `≤ ${goal}`, met: value <= goal });
};
const note = (what: string, value: number): void => {
  rows.push({ what, value, goal: '', met: null });
};

await benchPhotos();
await benchTexts();
await benchBudgets();
await benchQuantisation();
print();

async function benchPhotos(): Promise<void> {
  const encoder = await ImageEncoder.load(bundle);
  const session = await bareSession(bundle.manifest.vision.graph);
  const { width, height } = bundle.manifest.vision.input;
  const bare = async (): Promise<void> => {
    for (const file of files) {
      const image = sharp(file)
        .resize(width, height, { fit: 'fill', kernel: 'cubic' })
        .removeAlpha()
        .toColourspace('srgb');
      const pixels = await image.raw().toBuffer();
      await session.run({ pixels: new Tensor('uint8', pixels, [1, height, width, 3]) });
    }
  };
  const ours = async (): Promise<void> => {
    await encoder.encodeAll(files.map((image) => ({ image })));
  };
  const [a, b] = await compare(ours, bare);
  note('photos/s, ours', files.length / a);
  note('photos/s, bare loop', files.length / b);
  atLeast('photos: ours ÷ bare loop', b / a, 0.9);
  await encoder.dispose();
  await session.release();
}

async function benchTexts(): Promise<void> {
  const encoder = await TextEncoder.load(bundle);
  const language = await bareSession(bundle.manifest.language.graph);
  const projector = await bareSession(bundle.manifest.projector?.graph ?? []);
  const bare = async (): Promise<void> => {
    for (const part of chunk(texts, BATCH)) {
      const { ids, mask, dims } = padded(part.map((text) => tokenizer.encode(text).ids));
      const input = {
        input_ids: new Tensor('int64', ids, dims),
        attention_mask: new Tensor('int64', mask, dims),
      };
      const { features } = await language.run(input);
      if (features) await projector.run({ features });
    }
  };
  const ours = async (): Promise<void> => {
    await encoder.encode(texts);
  };
  const [a, b] = await compare(ours, bare);
  note('texts/s, ours', texts.length / a);
  note('texts/s, bare loop', texts.length / b);
  atLeast('texts: ours ÷ bare loop', b / a, 0.9);

  const theirs = await loadTransformersJs(bundle);
  if (theirs === null) {
    console.error('transformers.js is not installed: npm ci --prefix test/bench');
  } else {
    const run = async (): Promise<void> => {
      for (const part of chunk(texts, BATCH)) await theirs(part);
    };
    // Theirs stops at the features; so does ours here.
    const features = async (): Promise<void> => {
      await encoder.features(texts);
    };
    const [c, d] = await compare(features, run);
    note('texts/s, transformers.js', texts.length / d);
    atLeast('texts to features: ours ÷ transformers.js', d / c, 1.3);
  }
  await encoder.dispose();
  await language.release();
  await projector.release();
}

/** One core, in this thread: what a single session can do. */
async function benchBudgets(): Promise<void> {
  const vision = await loadVisionSession(bundle);
  const { width, height } = bundle.manifest.vision.input;
  const pixels = new Uint8Array(width * height * 3).fill(90);
  const text = await loadTextSessions(bundle, { withProjector: true });
  const one = tokenBatch(1, 10);
  const many = tokenBatch(BATCH, 12);
  const gflops = await machineGflops();
  note('this machine: float32 GFLOP/s of one core', gflops);
  atMost(
    'ms a photo, without decoding',
    1000 * (await best(() => vision.encode(pixels, 1), 20)),
    5,
  );
  atMost('ms a text of 10 tokens', 1000 * (await best(() => text.encode(one), 20)), 6);
  atLeast('texts/s in batches of 32', BATCH / (await best(() => text.encode(many), 5)), 230);
  const bytes = Object.values(bundle.manifest.files).reduce((sum, file) => sum + file.bytes, 0);
  atMost('bundle on disk, MB', bytes / 1e6, 110);
  await vision.dispose();
  await text.dispose();
}

async function benchQuantisation(): Promise<void> {
  if (flags.float32 === undefined) {
    console.error(
      'quantised ÷ float32 is left out: name the float32 graph with --float32 FILE (make_default.py writes it)',
    );
    return;
  }
  const float32 = await OnnxSession.load(readFileSync(flags.float32));
  const quantised = await OnnxSession.load(await bundle.readGraph(bundle.manifest.language.graph));
  for (const [name, count, tokens] of [
    ['one text of 10 tokens', 1, 10],
    ['batches of 32', BATCH, 12],
  ] as const) {
    const { ids, lengths } = tokenBatch(count, tokens);
    const dims = [lengths.length, tokens];
    const feeds = {
      input_ids: new Tensor('int64', ids, dims),
      attention_mask: new Tensor('int64', new BigInt64Array(ids.length).fill(1n), dims),
    };
    const [a, b] = await compare(
      () => quantised.run(feeds),
      () => float32.run(feeds),
    );
    note(`language graph, ${name}: quantised ÷ float32 speed`, b / a);
  }
  await float32.dispose();
  await quantised.dispose();
}

function bareSession(parts: readonly string[]): Promise<InferenceSession> {
  return bundle
    .readGraph(parts)
    .then((bytes) => InferenceSession.create(bytes, { intraOpNumThreads: cores }));
}

/** Seconds of the best round of each, taking turns. */
async function compare(
  a: () => Promise<unknown>,
  b: () => Promise<unknown>,
): Promise<readonly [number, number]> {
  await a();
  await b();
  let [bestA, bestB] = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round++) {
    bestA = Math.min(bestA, await seconds(a));
    bestB = Math.min(bestB, await seconds(b));
  }
  return [bestA, bestB];
}

async function best(run: () => Promise<unknown>, rounds: number): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < rounds; round++) least = Math.min(least, await seconds(run));
  return least;
}

async function seconds(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

async function machineGflops(): Promise<number> {
  const side = 1024;
  const graph = new GraphBuilder();
  const a = graph.input('a', 'float32', [side, side]);
  graph.output(graph.op('Gemm', [a, a]), 'b', 'float32', [side, side]);
  const session = await OnnxSession.load(graph.build('gemm'));
  const feeds = { a: new Tensor('float32', new Float32Array(side * side).fill(0.5), [side, side]) };
  const time = await best(() => session.run(feeds), 10);
  await session.dispose();
  return (2 * side ** 3) / time / 1e9;
}

function tokenBatch(count: number, width: number): TokenBatch {
  const random = new Random('tokens');
  const ids = BigInt64Array.from({ length: count * width }, () =>
    BigInt(100 + random.below(40_000)),
  );
  return { ids, lengths: Array<number>(count).fill(width), width, output: 'embedding' };
}

function padded(ids: readonly (readonly number[])[]): {
  ids: BigInt64Array;
  mask: BigInt64Array;
  dims: number[];
} {
  const width = Math.max(...ids.map((row) => row.length));
  const all = new BigInt64Array(ids.length * width);
  const mask = new BigInt64Array(ids.length * width);
  ids.forEach((row, i) => {
    row.forEach((id, j) => {
      all[i * width + j] = BigInt(id);
      mask[i * width + j] = 1n;
    });
  });
  return { ids: all, mask, dims: [ids.length, width] };
}

/** Caption-like texts of 5 to 25 words. */
function captions(count: number): string[] {
  const random = new Random('captions');
  const words =
    'a the man dog red two children running on beach wooden fence snow near water with ball small jumps'.split(
      ' ',
    );
  return Array.from({ length: count }, () =>
    Array.from({ length: 5 + random.below(21) }, () => random.pick(words)).join(' '),
  );
}

function print(): void {
  const digits = (value: number): string => value.toFixed(value < 100 ? 2 : 0);
  const verdict = ({ met }: Row): string => (met === null ? '' : met ? 'met' : 'missed');
  console.log(
    formatTable([
      ['', 'measured', 'goal', ''],
      ...rows.map((row) => [row.what, digits(row.value), row.goal, verdict(row)]),
    ]),
  );
  const json = JSON.stringify({ cores, rows }, null, 2);
  if (flags.json === undefined) console.log(json);
  else writeFileSync(flags.json, `${json}\n`);
}
