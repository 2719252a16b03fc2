import { copyFile, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bundle } from '../../models/bundle.ts';

/** Not in the repository's own packages, so not known to the compiler. */
const PACKAGE = '@huggingface/transformers';

interface TransformersJs {
  readonly env: { allowRemoteModels: boolean; localModelPath: string };
  readonly AutoTokenizer: {
    from_pretrained(name: string): Promise<(texts: string[], options: object) => object>;
  };
  readonly AutoModel: {
    from_pretrained(name: string, options: object): Promise<(inputs: object) => Promise<unknown>>;
  };
}

/**
 * The bundle's language graph in transformers.js: its tokenizer, its session, batches as given. Null when the package is not
 * installed. Its loader wants a model folder, so one is laid out in a temporary place; `bert` is its plain encoder, which
 * feeds token ids and mask and gives back whatever the graph gives.
 */
export async function loadTransformersJs(
  bundle: Bundle,
): Promise<((texts: string[]) => Promise<unknown>) | null> {
  let library;
  try {
    library = (await import(PACKAGE)) as TransformersJs;
  } catch {
    return null;
  }
  const root = await mkdtemp(join(tmpdir(), 'sharelock-bench-'));
  const folder = join(root, 'model');
  const { language } = bundle.manifest;
  await mkdir(join(folder, 'onnx'), { recursive: true });
  await writeFile(join(folder, 'onnx', 'language.onnx'), await bundle.readGraph(language.graph));
  await copyFile(
    join(bundle.folder, language.tokenizer.definition),
    join(folder, 'tokenizer.json'),
  );
  await copyFile(
    join(bundle.folder, language.tokenizer.config),
    join(folder, 'tokenizer_config.json'),
  );
  await writeFile(join(folder, 'config.json'), JSON.stringify({ model_type: 'bert' }));
  library.env.allowRemoteModels = false;
  library.env.localModelPath = root;
  const tokenizer = await library.AutoTokenizer.from_pretrained('model');
  const options = { dtype: 'fp32', device: 'cpu', model_file_name: 'language' };
  const model = await library.AutoModel.from_pretrained('model', options);
  return (texts) => model(tokenizer(texts, { padding: true, truncation: true }));
}
