/** Files and folders that are often given in place of a model's, and what to do then. */
import { RidgepointError } from '../errors.js';
import type { ModelFolder } from './source.js';

/** Bytes of a file's beginning that tell what it is. */
export const START_BYTES = 32;

const GGUF = 'GGUF is not supported; give the safetensors checkpoint it was made of';
const PICKLE = 'convert the checkpoint to safetensors';

/** What a file is by its name, where it is not one to be given. */
export function whatFileIs(path: string): string | undefined {
  const name = path.toLowerCase();
  if (name.endsWith('.gguf') || name.endsWith('.ggml')) return GGUF;
  if (/\.(bin|pt|pth|ckpt)$/.test(name)) return `is a file of PyTorch's; ${PICKLE} and give its folder`;
  if (name.endsWith('.onnx')) return 'is an ONNX model; give the safetensors checkpoint it was made of';
  if (/\.(zip|tar|tgz|gz|7z)$/.test(name)) return 'is an archive; unpack it and give the folder';
  return undefined;
}

/** What a file is by its first bytes, where those are of no safetensors file. */
export function whatBytesAre(start: Uint8Array): string | undefined {
  if (start.length === 0) return 'is empty; download it again';
  const text = String.fromCharCode(...start.subarray(0, START_BYTES));
  const mistaken = whatTextIs(text);
  if (mistaken !== undefined) return mistaken;
  if (text.startsWith('GGUF')) return GGUF;
  if (text.startsWith('PK\x03\x04') || text.startsWith('\x80\x02')) {
    return `is a file of PyTorch's, whatever its name says; ${PICKLE}`;
  }
  if (text.startsWith('\x1f\x8b')) return 'is compressed with gzip; unpack it';
  return undefined;
}

function whatTextIs(text: string): string | undefined {
  if (text.startsWith('version https://git-lfs')) {
    return 'is a pointer of Git LFS and not the file itself; run "git lfs pull" in its folder, or download it again';
  }
  if (text.startsWith('# xet version')) {
    return 'is a pointer of Xet and not the file itself; run "git xet pull" in its folder, or download it again';
  }
  if (
    /^\s*(\{"error"|Entry not found|Repository not found|Invalid (username|credentials)|Access to model|Unauthorized)/i.test(
      text,
    )
  ) {
    return 'is the answer of a server that refused it, and not the file itself; download it again';
  }
  if (/^\s*<(!doctype|html|\?xml|head|body)/i.test(text)) {
    return 'is a web page and not the file itself; download it again, from its "resolve" address';
  }
  return undefined;
}

/** Parses a file of JSON. @throws RidgepointError naming the file, and saying what it is where that can be told */
export function parseJson(text: string, file: string): unknown {
  const bulk = text.length > ORDINARY ? bulkOf(text) : undefined;
  if (bulk !== undefined) throw new RidgepointError('checkpoint', `${file}: ${bulk}; give another file`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const python = /[[:,]\s*(NaN|-?Infinity)\s*[\]},]/.exec(text)?.[1];
    const what =
      whatTextIs(text) ??
      (python && `has ${python} for a number, which no JSON has; put null or a number in its place`) ??
      (text.trim() === '' ? 'is empty; download it again' : undefined);
    throw new RidgepointError('checkpoint', `${file}: ${what ?? 'is not valid JSON; download it again'}`, { cause });
  }
  if (deeperThan(value, MAX_DEPTH)) {
    throw new RidgepointError('checkpoint', `${file}: nests more than ${MAX_DEPTH} levels; this is no file of a model`);
  }
  return value;
}

/** Files of models nest less than ten levels; whoever reads them may call itself for each. */
const MAX_DEPTH = 64;

/** Characters up to which a text takes little to parse, whatever it holds; the largest tokenizers have as many. */
const ORDINARY = 40 << 20;
/** A tokenizer of half a million tokens has some two million. */
const MAX_VALUES = 8_000_000;

/** What a text holds too much of to be parsed: a hundred megabytes of brackets would take gigabytes. */
function bulkOf(text: string): string | undefined {
  let [depth, values] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '"') {
      for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === '\\') i++;
    } else if (char === '{' || char === '[') {
      if (++depth > MAX_DEPTH) return `nests more than ${MAX_DEPTH} levels`;
    } else if (char === '}' || char === ']') depth--;
    else if (char === ',' && ++values > MAX_VALUES) return `holds more than ${MAX_VALUES} values`;
  }
  return undefined;
}

function deeperThan(value: unknown, most: number): boolean {
  let level: object[] = typeof value === 'object' && value !== null ? [value] : [];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > most) return true;
    const next: object[] = [];
    for (const outer of level) {
      for (const inner of Object.values(outer) as unknown[]) {
        if (typeof inner === 'object' && inner !== null) next.push(inner);
      }
    }
    level = next;
  }
  return false;
}

/** A file of JSON, or undefined where there is none. @throws RidgepointError naming the file */
export async function readJsonFile(folder: Pick<ModelFolder, 'readText'>, file: string): Promise<unknown> {
  const text = await folder.readText(file);
  return text === undefined ? undefined : parseJson(text, file);
}

/** What is in a folder that holds no usable checkpoint, and what to do; undefined where nothing can be told. */
export async function whatFolderIs(folder: Pick<ModelFolder, 'list'>): Promise<string | undefined> {
  const names = await folder.list?.();
  if (names === undefined) return undefined;
  const has = (pattern: RegExp): string | undefined => names.find((name) => pattern.test(name));
  const gguf = has(/\.gguf$/i);
  if (gguf !== undefined) return `it holds ${gguf}: ${GGUF}`;
  if (names.includes('adapter_config.json') || has(/^adapter_model\./) !== undefined) {
    return 'it holds a LoRA adapter; merge it into its base model, save that and give its folder';
  }
  if (names.includes('model_index.json')) {
    return 'it holds a pipeline of diffusers, which makes pictures; give the folder of a language model';
  }
  const pickle = has(/^(pytorch_model.*\.bin|consolidated\..*\.pth|.*\.pt|.*\.pth|model.*\.bin)$/);
  if (pickle !== undefined) return `it holds ${pickle}, a file of PyTorch's; ${PICKLE}`;
  const own = has(/^consolidated.*\.safetensors$/);
  if (own !== undefined) {
    return `it holds ${own}, in the layout of the model's makers; give the folder in that of Hugging Face, with a config.json and model*.safetensors`;
  }
  const onnx = has(/\.onnx$/) ?? (names.includes('onnx/') ? 'onnx' : undefined);
  if (onnx !== undefined) return `it holds ${onnx}; ONNX is not supported, give the safetensors checkpoint`;
  const other = has(/\.(h5|msgpack|mlmodel|tflite|ggml)$/);
  if (other !== undefined) return `it holds ${other}, whose format is not supported; convert it to safetensors`;
  const archive = has(/\.(zip|tar|tgz|gz)$/);
  if (archive !== undefined) return `it holds ${archive}; unpack it`;
  const inner = names.filter((name) => name.endsWith('/'));
  if (inner.includes('snapshots/'))
    return 'it is a folder of the Hub’s cache; give one of those in its snapshots folder';
  if (names.length === 0) return 'it is empty; give the folder of a Hugging Face checkpoint';
  if (inner.length > 0 && inner.length === names.length)
    return `give a folder inside it, such as ${inner[0].slice(0, -1)}`;
  return undefined;
}

/** What lies in a model's folder and is not used, though it would change what comes out, a sentence each. */
export async function leftBeside(folder: Pick<ModelFolder, 'list' | 'name'>): Promise<string[]> {
  const names = (await folder.list?.()) ?? [];
  const notices: string[] = [];
  const adapter = names.find((name) => /^adapter_(config\.json|model\.)/.test(name));
  if (adapter !== undefined) {
    notices.push(
      `${folder.name}: holds a LoRA adapter (${adapter}) beside the model, which is not applied; merge it into the model if its answers are wanted`,
    );
  }
  const other = names.find((name) =>
    /^(tokenizer\.model|.*\.tiktoken|spiece\.model|vocab\.json|tekken\.json)$/.test(name),
  );
  if (other !== undefined && !names.includes('tokenizer.json')) {
    notices.push(
      `${folder.name}: holds ${other} but no tokenizer.json, the only kind that is read; open the folder with AutoTokenizer of transformers, and save_pretrained writes one`,
    );
  }
  return notices;
}
