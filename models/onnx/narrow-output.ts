import { messageOf, PlatformError } from '../../platform/errors.ts';
import {
  decodeModel,
  dimensionMessage,
  encodeModel,
  nodeMessage,
  tensorMessage,
  type GraphMessage,
  type ModelMessage,
  type NodeMessage,
} from './messages.ts';

/**
 * The same graph, its output cut to the first numbers of a row and made to length 1 again (a row of zeros stays one). All
 * else is kept, even what onnx.proto does not name. Throws `INVALID_BUNDLE` where no node gives that output.
 */
export function narrowOutput(bytes: Uint8Array, output: string, dimensions: number): Uint8Array {
  const model = decode(bytes);
  const { graph } = model;
  const declared = graph?.output.find(({ name }) => name === output);
  if (!graph || !declared || !graph.node.some((node) => node.output.includes(output))) {
    throw new PlatformError('INVALID_BUNDLE', `A graph of the bundle gives no "${output}".`);
  }
  const unused = unusedNames(graph);
  const wide = unused(`${output}_wide`);
  graph.node = [
    ...graph.node.map((node) => withRenamedValue(node, output, wide)),
    ...cutAndNormalize(graph, wide, output, dimensions, unused),
  ];
  const shape = declared.type?.tensor_type?.shape;
  if (shape) shape.dim = [...shape.dim.slice(0, -1), dimensionMessage(dimensions)];
  return encodeModel(model);
}

function decode(bytes: Uint8Array): ModelMessage {
  try {
    return decodeModel(bytes);
  } catch (cause) {
    const reason = `A graph of the bundle is no ONNX graph: ${messageOf(cause)}`;
    throw new PlatformError('INVALID_BUNDLE', reason, { cause });
  }
}

/** Changed in place: a copy would lose the fields that onnx.proto does not name. */
function withRenamedValue(node: NodeMessage, from: string, to: string): NodeMessage {
  const rename = (value: string): string => (value === from ? to : value);
  node.input = node.input.map(rename);
  node.output = node.output.map(rename);
  return node;
}

function cutAndNormalize(
  graph: GraphMessage,
  wide: string,
  output: string,
  dimensions: number,
  unused: (stem: string) => string,
): NodeMessage[] {
  const integer = (stem: string, value: number): string => {
    const name = unused(stem);
    const tensor = tensorMessage(name, BigInt64Array.of(BigInt(value)), [1]);
    graph.initializer = [...graph.initializer, tensor];
    return name;
  };
  const [start, end, axis] = [
    integer('cut_start', 0),
    integer('cut_end', dimensions),
    integer('cut_axis', -1),
  ];
  const cut = unused(`${output}_cut`);
  return [
    nodeMessage('Slice', unused('cut'), [wide, start, end, axis], [cut]),
    nodeMessage('LpNormalization', unused('cut_norm'), [cut], [output], { axis: -1, p: 2 }),
  ];
}

/** Gives names that neither a value nor a node of the graph has, nor was given before. */
function unusedNames(graph: GraphMessage): (stem: string) => string {
  const used = new Set(
    [graph.input, graph.output, graph.initializer].flat().map(({ name }) => name),
  );
  for (const { name, input, output } of graph.node) {
    for (const value of [name, ...input, ...output]) used.add(value);
  }
  return (stem) => {
    let name = stem;
    for (let number = 1; used.has(name); number++) name = `${stem}_${number}`;
    used.add(name);
    return name;
  };
}
