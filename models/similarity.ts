import { OnnxSession, Tensor, float32Values } from './onnx-session.ts';
import { GraphBuilder } from './onnx/graph-builder.ts';

/** Dot products of all rows of one matrix with all rows of another, on all cores. */
export class Similarity {
  readonly #session: OnnxSession;
  readonly #width: number;

  private constructor(session: OnnxSession, width: number) {
    this.#session = session;
    this.#width = width;
  }

  static async load(width: number, threads: number): Promise<Similarity> {
    const graph = new GraphBuilder();
    const a = graph.input('a', 'float32', ['rows', width]);
    const b = graph.input('b', 'float32', ['columns', width]);
    graph.output(graph.op('Gemm', [a, b], { transB: 1 }), 'scores', 'float32', ['rows', 'columns']);
    return new Similarity(await OnnxSession.load(graph.build('similarity'), { threads }), width);
  }

  /** [rows of a, rows of b]. */
  async scores(a: Float32Array, b: Float32Array): Promise<Float32Array> {
    const [rows, columns] = [a.length / this.#width, b.length / this.#width];
    const { scores } = await this.#session.run({
      a: new Tensor('float32', a, [rows, this.#width]),
      b: new Tensor('float32', b, [columns, this.#width]),
    });
    return float32Values(scores, rows * columns);
  }

  dispose(): Promise<void> {
    return this.#session.dispose();
  }
}
