import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';

const ELEMENT_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
} as const;
export type ElementType = keyof typeof ELEMENT_TYPES;

const OPSET = 20;
const IR_VERSION = 9;
/** ONNX Runtime's own operators. */
export const MICROSOFT = 'com.microsoft';
const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

/** A tensor axis: a length, or a name where the length is open. */
export type Dimension = number | string;
type Attributes = Readonly<Record<string, number | readonly number[]>>;
type Numbers = Float32Array | Float64Array | Int8Array | Uint8Array | BigInt64Array;

const format = protobuf.parse(readFileSync(new URL('./onnx.proto', import.meta.url), 'utf8'), {
  keepCase: true,
}).root;
const modelType = format.lookupType('onnx.ModelProto');

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
    this.#inputs.push(valueInfo(name, type, shape));
    return name;
  }

  output(value: string, name: string, type: ElementType, shape: readonly Dimension[]): void {
    this.#nodes.push({ op_type: 'Identity', input: [value], output: [name] });
    this.#outputs.push(valueInfo(name, type, shape));
  }

  weight(name: string, values: Numbers, dims: readonly number[]): string {
    const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.#initializers.push({
      name,
      dims,
      data_type: ELEMENT_TYPES[elementType(values)],
      raw_data: raw,
    });
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
    const attribute = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
    this.#nodes.push({
      op_type: type,
      name: `${type}_${number}`,
      domain,
      input: inputs,
      output: names,
      attribute,
    });
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
    return modelType
      .encode({ ir_version: IR_VERSION, producer_name: 'sharelock', graph, opset_import: opsets })
      .finish();
  }

  #constant(key: string, values: Numbers, dims: readonly number[]): string {
    const name =
      this.#constants.get(key) ?? this.weight(`constant_${this.#constants.size}`, values, dims);
    this.#constants.set(key, name);
    return name;
  }
}

function elementType(values: Numbers): ElementType {
  if (values instanceof Float32Array) return 'float32';
  if (values instanceof Float64Array) return 'float64';
  if (values instanceof Int8Array) return 'int8';
  return values instanceof Uint8Array ? 'uint8' : 'int64';
}

function valueInfo(name: string, type: ElementType, shape: readonly Dimension[]): object {
  const dim = shape.map((size) =>
    typeof size === 'number' ? { dim_value: size } : { dim_param: size },
  );
  return { name, type: { tensor_type: { elem_type: ELEMENT_TYPES[type], shape: { dim } } } };
}

/** Whole numbers are int attributes, `{ alpha: 0.5 }` is a float one; a whole float is written `1.0` nowhere else. */
function attributeOf(name: string, value: number | readonly number[]): object {
  if (typeof value !== 'number') return { name, type: ATTRIBUTE_INTS, ints: value };
  if (FLOAT_ATTRIBUTES.has(name)) return { name, type: ATTRIBUTE_FLOAT, f: value };
  return { name, type: ATTRIBUTE_INT, i: value };
}

const FLOAT_ATTRIBUTES: ReadonlySet<string> = new Set(['alpha', 'beta', 'epsilon']);
