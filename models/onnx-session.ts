import { InferenceSession, Tensor } from 'onnxruntime-node';
import { messageOf, PlatformError } from '../platform/errors.ts';

export { Tensor };
export type Feeds = Readonly<Record<string, Tensor>>;

export interface SessionOptions {
  /** Threads of one run. Encoders take 1 and run several sessions; training takes all cores. */
  readonly threads?: number;
}

/** One ONNX graph, loaded. The only place that touches ONNX Runtime. */
export class OnnxSession {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** Loads a graph from bytes the caller has checked. Throws `INVALID_BUNDLE` when the runtime refuses them. */
  static async load(bytes: Uint8Array, { threads = 1 }: SessionOptions = {}): Promise<OnnxSession> {
    try {
      const session = await InferenceSession.create(bytes, {
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        graphOptimizationLevel: 'all',
        logSeverityLevel: 3,
        // A spinning thread would take a core from the others while it waits.
        extra: { session: { intra_op: { allow_spinning: '0' } } },
      });
      return new OnnxSession(session);
    } catch (cause) {
      const reason = `ONNX Runtime refuses a graph: ${messageOf(cause)}`;
      throw new PlatformError('INVALID_BUNDLE', reason, { cause });
    }
  }

  /** The last axis of an input's or output's shape, or null where the graph leaves it open. */
  width(name: string): number | null {
    const all = [...this.#session.inputMetadata, ...this.#session.outputMetadata];
    const found = all.find((metadata) => metadata.name === name);
    const last = found?.isTensor ? found.shape.at(-1) : undefined;
    return typeof last === 'number' ? last : null;
  }

  /** All outputs by name; with `into`, outputs are written to those tensors. */
  run(feeds: Feeds, into?: Feeds): Promise<Feeds> {
    return into ? this.#session.run(feeds, into) : this.#session.run(feeds);
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }
}

/** A tensor's values as float32, or `DIMENSION_MISMATCH` when it is something else or of another length. */
export function float32Values(tensor: Tensor | undefined, length: number): Float32Array {
  if (!(tensor?.data instanceof Float32Array) || tensor.data.length !== length) {
    const got = tensor === undefined ? 'nothing' : `${tensor.type} [${tensor.dims.join(', ')}]`;
    throw new PlatformError(
      'DIMENSION_MISMATCH',
      `A model gave ${got}, not ${length} float32 values.`,
    );
  }
  return tensor.data;
}
