import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { OnnxSession, Tensor } from '../../../models/onnx-session.ts';
import { GraphBuilder } from '../../../models/onnx/graph-builder.ts';
import { decodeModel, encodeModel } from '../../../models/onnx/messages.ts';
import { narrowOutput } from '../../../models/onnx/narrow-output.ts';
import { TINY_BUNDLE } from '../../support/bundles.ts';
import { withCode } from '../../support/errors.ts';

/** Gives what it gets; `embedding` is also read again, by a second output, and `cut_start` is a name that is taken. */
function graphOfFour(): Uint8Array {
  const graph = new GraphBuilder();
  const x = graph.input('x', 'float32', ['batch', 4]);
  graph.output(x, 'embedding', 'float32', ['batch', 4]);
  const one = graph.weight('cut_start', Float32Array.of(1), [1]);
  graph.output(graph.op('Add', ['embedding', one]), 'more', 'float32', ['batch', 4]);
  return graph.build('four');
}

async function run(graph: Uint8Array, rows: readonly number[]) {
  const session = await OnnxSession.load(graph);
  const x = new Tensor('float32', Float32Array.from(rows), [rows.length / 4, 4]);
  const { embedding, more } = await session.run({ x });
  const width = session.width('embedding');
  await session.dispose();
  return { width, embedding: embedding?.data, more: more?.data };
}

describe('a narrowed graph', () => {
  test('gives the first numbers at length 1, and zeros for zeros', async () => {
    const { width, embedding } = await run(
      narrowOutput(graphOfFour(), 'embedding', 2),
      [3, 4, 12, 0, 0, 0, 5, 5],
    );

    expect(width).toBe(2);
    expect(embedding).toEqual(Float32Array.of(0.6, 0.8, 0, 0));
  });

  test('feeds nodes that read the output with the wide one, as before', async () => {
    const { more } = await run(narrowOutput(graphOfFour(), 'embedding', 2), [3, 4, 12, 0]);

    expect(more).toEqual(Float32Array.of(4, 5, 13, 1));
  });

  test('can be narrowed again', async () => {
    const three = narrowOutput(graphOfFour(), 'embedding', 3);

    const { width, embedding } = await run(narrowOutput(three, 'embedding', 2), [3, 4, 12, 0]);

    expect(width).toBe(2);
    expect(embedding?.[1]).toBeCloseTo(0.8, 6);
  });

  test('keeps fields that onnx.proto does not name', async () => {
    const graph = await readFile(join(TINY_BUNDLE, 'vision.onnx')); // its graph's doc_string is "tiny"
    const documented = Buffer.concat([graph, Buffer.from([0x32, 4]), Buffer.from('kept')]);

    const narrowed = Buffer.from(narrowOutput(documented, 'embedding', 8));

    expect(narrowed.includes(Buffer.from([0x52, 4, ...Buffer.from('tiny')]))).toBe(true);
    expect(narrowed.includes(Buffer.from([0x32, 4, ...Buffer.from('kept')]))).toBe(true);
  });
});

test.each(['vision', 'projector', 'language'])(
  'nothing of the tiny %s graph is lost on the way through',
  async (name) => {
    const bytes = await readFile(join(TINY_BUNDLE, `${name}.onnx`));

    const once = encodeModel(decodeModel(bytes));

    expect(once).toHaveLength(bytes.length);
    expect(Buffer.from(encodeModel(decodeModel(once))).equals(once)).toBe(true);
  },
);

test('a graph without that output, and bytes that are no graph, are refused', () => {
  const refused = withCode('INVALID_BUNDLE');
  const attempts: [Uint8Array, string][] = [
    [graphOfFour(), 'features'],
    [graphOfFour(), 'x'],
    [new Uint8Array(0), 'embedding'],
    [Uint8Array.of(255, 255, 255), 'embedding'],
  ];

  for (const [bytes, output] of attempts) {
    expect(() => narrowOutput(bytes, output, 2)).toThrow(expect.objectContaining(refused));
  }
});
