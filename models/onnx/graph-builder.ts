import {
  encodeModel,
  nodeMessage,
  tensorMessage,
  valueMessage,
  type Attributes,
  type Dimension,
  type ElementType,
  type Numbers,
} from './messages.ts';

const OPSET = 20;
const IR_VERSION = 9;
/** ONNX Runtime's own operators. */
export const MICROSOFT = 'com.microsoft';

/**
 * Writes an ONNX graph: each method adds one thing and returns the name of its value. Names come from a counter, so
 * the same calls give the same bytes. `scalarType` is what `scalar` makes: float32, or float64 where a test needs digits.
 */
export class GraphBuilder {
  readonly scalarType: 'float32' | 'float64';
  readonly #nodes: object[] = [];
  readonly #initializers: object[] = [];
  readonly #inputs: object[] = [];
  readonly #outputs: object[] = [];
  readonly #constants = new Map<string, string>();

  constructor(scalarType: 'float32' | 'float64' = 'float32') {
    this.scalarType = scalarType;
  }

  input(name: string, type: ElementType, shape: readonly Dimension[]): string {
    this.#inputs.push(valueMessage(name, type, shape));
    return name;
  }

  output(value: string, name: string, type: ElementType, shape: readonly Dimension[]): void {
    this.#nodes.push({ op_type: 'Identity', input: [value], output: [name] });
    this.#outputs.push(valueMessage(name, type, shape));
  }

  weight(name: string, values: Numbers, dims: readonly number[]): string {
    this.#initializers.push(tensorMessage(name, values, dims));
    return name;
  }

  scalar(value: number): string {
    const values = this.scalarType === 'float32' ? Float32Array.of(value) : Float64Array.of(value);
    return this.#constant(`scalar_${value}`, values, []);
  }

  /** int64 numbers, as shapes and axes are given. */
  integers(values: readonly number[]): string {
    return this.#constant(`integers_${values.join('_')}`, BigInt64Array.from(values, BigInt), [
      values.length,
    ]);
  }

  op(type: string, inputs: readonly string[], attributes: Attributes = {}, domain = ''): string {
    const [only] = this.ops(type, inputs, 1, attributes, domain);
    return only ?? '';
  }

  /** As `op`, for a node of several outputs. */
  ops(
    type: string,
    inputs: readonly string[],
    outputs: number,
    attributes: Attributes = {},
    domain = '',
  ): string[] {
    const number = this.#nodes.length;
    const names = Array.from({ length: outputs }, (_, i) => `${type.toLowerCase()}_${number}_${i}`);
    this.#nodes.push(nodeMessage(type, `${type}_${number}`, inputs, names, attributes, domain));
    return names;
  }

  build(name: string): Uint8Array {
    const graph = {
      name,
      node: this.#nodes,
      initializer: this.#initializers,
      input: this.#inputs,
      output: this.#outputs,
    };
    const opsets = [
      { domain: '', version: OPSET },
      { domain: MICROSOFT, version: 1 },
    ];
    return encodeModel({
      ir_version: IR_VERSION,
      producer_name: 'sharelock',
      graph,
      opset_import: opsets,
    });
  }

  #constant(key: string, values: Numbers, dims: readonly number[]): string {
    const name =
      this.#constants.get(key) ?? this.weight(`constant_${this.#constants.size}`, values, dims);
    this.#constants.set(key, name);
    return name;
  }
}
