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

const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;
const FLOAT_ATTRIBUTES: ReadonlySet<string> = new Set(['alpha', 'beta', 'epsilon']);

/** A tensor axis: a length, or a name where the length is open. */
export type Dimension = number | string;
export type Attributes = Readonly<Record<string, number | readonly number[]>>;
export type Numbers = Float32Array | Float64Array | Int8Array | Uint8Array | BigInt64Array;

/** What is read or changed of a message; the rest is in the objects, unseen. */
export interface ModelMessage {
  readonly graph: GraphMessage | null;
}
export interface GraphMessage {
  node: readonly NodeMessage[];
  initializer: readonly { readonly name: string }[];
  readonly input: readonly { readonly name: string }[];
  readonly output: readonly ValueMessage[];
}
export interface NodeMessage {
  readonly op_type: string;
  readonly name: string;
  readonly domain: string;
  input: readonly string[];
  output: readonly string[];
  readonly attribute: readonly object[];
}
export interface ValueMessage {
  readonly name: string;
  readonly type: { readonly tensor_type: TensorTypeMessage | null } | null;
}
interface TensorTypeMessage {
  readonly elem_type: number;
  readonly shape: { dim: readonly object[] } | null;
}

const format = protobuf.parse(readFileSync(new URL('./onnx.proto', import.meta.url), 'utf8'), {
  keepCase: true,
}).root;
const modelType = format.lookupType('onnx.ModelProto');

export function encodeModel(model: object): Uint8Array {
  return modelType.encode(model).finish();
}

/** Fields that onnx.proto does not name are kept as they are: `encodeModel` writes them again. Throws for other bytes. */
export function decodeModel(bytes: Uint8Array): ModelMessage {
  const reader = protobuf.Reader.create(bytes);
  reader.discardUnknown = false;
  return modelType.decode(reader) as unknown as ModelMessage;
}

export function nodeMessage(
  type: string,
  name: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Attributes = {},
  domain = '',
): NodeMessage {
  const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value));
  return { op_type: type, name, domain, input, output, attribute };
}

export function tensorMessage(name: string, values: Numbers, dims: readonly number[]) {
  const raw_data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, dims, data_type: ELEMENT_TYPES[elementType(values)], raw_data };
}

export function valueMessage(
  name: string,
  type: ElementType,
  shape: readonly Dimension[],
): ValueMessage {
  const tensor_type = {
    elem_type: ELEMENT_TYPES[type],
    shape: { dim: shape.map(dimensionMessage) },
  };
  return { name, type: { tensor_type } };
}

export function dimensionMessage(size: Dimension): object {
  return typeof size === 'number' ? { dim_value: size } : { dim_param: size };
}

function elementType(values: Numbers): ElementType {
  if (values instanceof Float32Array) return 'float32';
  if (values instanceof Float64Array) return 'float64';
  if (values instanceof Int8Array) return 'int8';
  return values instanceof Uint8Array ? 'uint8' : 'int64';
}

/** Whole numbers are int attributes, `{ alpha: 0.5 }` is a float one; a whole float is written `1.0` nowhere else. */
function attributeOf(name: string, value: number | readonly number[]): object {
  if (typeof value !== 'number') return { name, type: ATTRIBUTE_INTS, ints: value };
  if (FLOAT_ATTRIBUTES.has(name)) return { name, type: ATTRIBUTE_FLOAT, f: value };
  return { name, type: ATTRIBUTE_INT, i: value };
}
