import { PlatformError } from '../platform/errors.ts';
import type { Bundle } from './bundle.ts';
import { float32Values, OnnxSession, Tensor } from './onnx-session.ts';

/** A batch of texts: token ids in rows of `width`, each row padded behind its length. */
export interface TokenBatch {
  readonly ids: BigInt64Array;
  readonly lengths: readonly number[];
  readonly width: number;
  readonly output: 'features' | 'embedding';
}

/** A bundle's vision graph, ready to run in this thread. */
export class VisionSession {
  readonly #session: OnnxSession;
  readonly #shape: readonly [number, number, number];
  readonly #dimensions: number;

  constructor(session: OnnxSession, { input, dimensions }: Bundle['manifest']['vision']) {
    this.#session = session;
    this.#shape = [input.height, input.width, 3];
    this.#dimensions = dimensions;
  }

  /** uint8 pixels [count, height, width, 3] to unit embeddings [count, dimensions]. */
  async encode(pixels: Uint8Array, count: number): Promise<Float32Array> {
    const feeds = { pixels: new Tensor('uint8', pixels, [count, ...this.#shape]) };
    const { embedding } = await this.#session.run(feeds);
    return float32Values(embedding, count * this.#dimensions);
  }

  async warmUp(): Promise<void> {
    const [height, width, channels] = this.#shape;
    await this.encode(new Uint8Array(height * width * channels).fill(127), 1);
  }

  dispose(): Promise<void> {
    return this.#session.dispose();
  }
}

/** A bundle's language graph and projector, ready to run in this thread. */
export class TextSessions {
  readonly #language: OnnxSession;
  readonly #projector: OnnxSession | null;
  readonly #featureWidth: number;
  readonly #dimensions: number;

  constructor(language: OnnxSession, projector: OnnxSession | null, { manifest }: Bundle) {
    this.#language = language;
    this.#projector = projector;
    this.#featureWidth = manifest.language.dimensions;
    this.#dimensions = manifest.vision.dimensions;
  }

  /** Language features [count, language dimensions], or unit embeddings [count, dimensions]. */
  async encode({ ids, lengths, width, output }: TokenBatch): Promise<Float32Array> {
    const count = lengths.length;
    const mask = new BigInt64Array(count * width);
    lengths.forEach((length, row) => mask.fill(1n, row * width, row * width + length));
    const outputs = await this.#language.run({
      input_ids: new Tensor('int64', ids, [count, width]),
      attention_mask: new Tensor('int64', mask, [count, width]),
    });
    const features = float32Values(outputs['features'], count * this.#featureWidth);
    return output === 'features' ? features : this.project(features, count);
  }

  async project(features: Float32Array, count: number): Promise<Float32Array> {
    if (this.#projector === null) throw new Error('The projector was not loaded.');
    const feeds = { features: new Tensor('float32', features, [count, this.#featureWidth]) };
    const { embedding } = await this.#projector.run(feeds);
    return float32Values(embedding, count * this.#dimensions);
  }

  async warmUp(): Promise<void> {
    const width = 8;
    const output = this.#projector === null ? 'features' : 'embedding';
    await this.encode({ ids: new BigInt64Array(width), lengths: [width], width, output });
  }

  async dispose(): Promise<void> {
    await this.#language.dispose();
    await this.#projector?.dispose();
  }
}

export async function loadVisionSession(bundle: Bundle): Promise<VisionSession> {
  const { vision } = bundle.manifest;
  const session = await OnnxSession.load(await bundle.readGraph(vision.graph));
  expectWidth(session, 'embedding', vision.dimensions, 'vision graph');
  return new VisionSession(session, vision);
}

export async function loadTextSessions(
  bundle: Bundle,
  { withProjector }: { readonly withProjector: boolean },
): Promise<TextSessions> {
  const { language, vision, projector } = bundle.manifest;
  const session = await OnnxSession.load(await bundle.readGraph(language.graph));
  expectWidth(session, 'features', language.dimensions, 'language graph');
  if (!withProjector) return new TextSessions(session, null, bundle);
  if (!projector) {
    const reason = 'The model bundle has no projector yet: train one with "sharelock train".';
    throw new PlatformError('INVALID_BUNDLE', reason);
  }
  const projectorSession = await OnnxSession.load(await bundle.readGraph(projector.graph));
  expectWidth(projectorSession, 'features', language.dimensions, 'projector');
  expectWidth(projectorSession, 'embedding', vision.dimensions, 'projector');
  return new TextSessions(session, projectorSession, bundle);
}

/** Loads and runs each graph of a bundle once; throws where the runtime or the manifest disagrees with one. */
export async function tryGraphs(bundle: Bundle): Promise<void> {
  const vision = await loadVisionSession(bundle);
  await vision.warmUp().finally(() => vision.dispose());
  const withProjector = bundle.manifest.projector !== undefined;
  const text = await loadTextSessions(bundle, { withProjector });
  await text.warmUp().finally(() => text.dispose());
}

function expectWidth(session: OnnxSession, name: string, width: number, graph: string): void {
  const found = session.width(name);
  if (found !== null && found !== width) {
    const story = `The ${graph}'s "${name}" is ${found} wide`;
    throw new PlatformError('DIMENSION_MISMATCH', `${story}, the manifest says ${width}.`);
  }
}
