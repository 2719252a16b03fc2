import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError, systemErrorCode, throwIfAborted } from '../platform/errors.ts';
import { BundleWriter } from './bundle-writer.ts';
import type { Bundle } from './bundle.ts';
import { manifestSchema, type Manifest } from './manifest.ts';
import { narrowOutput } from './onnx/narrow-output.ts';
import { tryGraphs } from './sessions.ts';

/** One number tells only two directions apart. */
const LEAST_DIMENSIONS = 2;

export interface NarrowBundleOptions {
  readonly base: Bundle;
  /** Numbers of a narrowed embedding: at least 2, fewer than the base's. */
  readonly dimensions: number;
  /** The new bundle's folder. */
  readonly out: string;
  /** The new bundle's name; by default the base's with the dimensions. */
  readonly name?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a bundle whose embeddings are the first numbers of the base's, made to length 1 again: vision graph, projector and
 * label prototypes are cut, everything else is copied. Where the base's space lists principal directions by falling variance
 * (as vision_space.py makes it), this is exactly the space that those settings give with fewer dimensions.
 */
export async function narrowBundle(options: NarrowBundleOptions): Promise<Bundle> {
  const { base, dimensions, out, signal } = options;
  const { name: baseName, vision, projector } = base.manifest;
  checkDimensions(dimensions, base);
  const rename = (name: string): string => renamed(name, vision.dimensions, dimensions);
  const name = checkedName(options.name ?? rename(baseName));

  const writer = await BundleWriter.create(out);
  for (const file of unchangedFiles(base.manifest)) {
    throwIfAborted(signal);
    await writer.copy(base, file);
  }
  const narrowed = async (parts: readonly string[]): Promise<string[]> => {
    throwIfAborted(signal);
    const graph = narrowOutput(await base.readGraph(parts), 'embedding', dimensions);
    return writer.writeGraph(stemOf(parts), graph);
  };
  const manifest = {
    ...base.manifest,
    name,
    version: 1,
    vision: {
      ...vision,
      name: rename(vision.name),
      graph: await narrowed(vision.graph),
      dimensions,
    },
    projector: projector && {
      graph: await narrowed(projector.graph),
      training: originOf(base),
    },
    card: await writeCard(writer, base, `${name}@1`, dimensions),
    metrics: undefined, // the wide bundle's
  };
  await writePrototypes(writer, base, dimensions);
  await tryGraphs(writer.preview(manifest));
  throwIfAborted(signal);
  return writer.finish(manifest);
}

function checkDimensions(dimensions: number, { manifest }: Bundle): void {
  const { name, vision } = manifest;
  const most = vision.dimensions - 1;
  if (Number.isInteger(dimensions) && dimensions >= LEAST_DIMENSIONS && dimensions <= most) return;
  throw new PlatformError(
    'BAD_USER_INPUT',
    `The dimensions must be from ${LEAST_DIMENSIONS} to ${most}: ${name} has ${vision.dimensions}.`,
  );
}

/** efficientnet-lite0-384 becomes efficientnet-lite0-256; a name without the width gets one. */
function renamed(name: string, from: number, to: number): string {
  const suffix = `-${from}`;
  return `${name.endsWith(suffix) ? name.slice(0, -suffix.length) : name}-${to}`;
}

function checkedName(name: string): string {
  const { success } = manifestSchema.shape.name.safeParse(name);
  if (success) return name;
  throw new PlatformError(
    'BAD_USER_INPUT',
    `The name "${name}" must be lower-case letters, digits and dashes.`,
  );
}

function unchangedFiles({ vision, projector, labelPrototypes, card, files }: Manifest): string[] {
  const changed = new Set([
    ...vision.graph,
    ...(projector?.graph ?? []),
    labelPrototypes?.embeddings,
    card,
  ]);
  return Object.keys(files).filter((name) => !changed.has(name));
}

/** `vision.onnx`, for the part `vision.onnx.0` too. */
function stemOf([first = '']: readonly string[]): string {
  return first.replace(/\.0$/, '');
}

/** In the place of training settings and figures, which are the wide projector's. */
function originOf({ manifest, visionSpace, textModel }: Bundle) {
  const { name, version, vision } = manifest;
  const { dimensions } = vision;
  return { narrowedFrom: { bundle: `${name}@${version}`, dimensions, visionSpace, textModel } };
}

/** The base's card below a note that its figures are the base's; undefined where the base has none. */
async function writeCard(
  writer: BundleWriter,
  { folder, manifest }: Bundle,
  title: string,
  dimensions: number,
): Promise<string | undefined> {
  if (manifest.card === undefined) return undefined;
  const wide = `${manifest.name}@${manifest.version}`;
  const note =
    `# Model card: ${title}\n\n` +
    `The first ${dimensions} of the ${manifest.vision.dimensions} numbers of ${wide}, made to length 1 again ` +
    '(`sharelock bundle narrow`).\n' +
    `What follows is the card of ${wide}; its widths, figures and fingerprints are of the wide one.\n\n`;
  try {
    const card = await readFile(join(folder, manifest.card), 'utf8');
    await writer.writeUnlisted(manifest.card, note + card);
    return manifest.card;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined; // people read it, nothing else does
    throw error;
  }
}

async function writePrototypes(
  writer: BundleWriter,
  base: Bundle,
  dimensions: number,
): Promise<void> {
  const { labelPrototypes, vision } = base.manifest;
  if (!labelPrototypes) return;
  const name = labelPrototypes.embeddings;
  const bytes = await base.read(name);
  if (bytes.length % (vision.dimensions * 4) !== 0) {
    const want = `rows of ${vision.dimensions} float32 values`;
    throw new PlatformError('INVALID_BUNDLE', `${name} must hold ${want}.`);
  }
  const wide = new Float32Array(Uint8Array.from(bytes).buffer);
  const cut = cutRows(wide, vision.dimensions, dimensions);
  await writer.write(name, new Uint8Array(cut.buffer));
}

/** Rows cut and made to length 1 again; a row of zeros stays one, as in the graphs. */
function cutRows(wide: Float32Array, from: number, to: number): Float32Array {
  const cut = new Float32Array((wide.length / from) * to);
  for (let row = 0; row * from < wide.length; row++) {
    const values = wide.subarray(row * from, row * from + to);
    const length = Math.hypot(...values) || 1;
    const unit = values.map((value) => value / length);
    cut.set(unit, row * to);
  }
  return cut;
}
