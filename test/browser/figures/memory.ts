import {
  copyFileSync,
  mkdirSync,
  openSync,
  closeSync,
  ftruncateSync,
  readdirSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Built, ChromiumTab } from './tab.js';

const SHAPE = 'tinyllama-1.1b';
/** Milliseconds between two looks at what the browser has. */
const EVERY = 200;

interface Shape {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly vocab_size: number;
}

/** Names and shapes of a Llama's weights. */
function tensorsOf(shape: Shape): [string, number[]][] {
  const { hidden_size: hidden, intermediate_size: inner, vocab_size: vocab } = shape;
  const kv = (hidden / shape.num_attention_heads) * shape.num_key_value_heads;
  const layer = (at: number): [string, number[]][] =>
    (
      [
        ['self_attn.q_proj', [hidden, hidden]],
        ['self_attn.k_proj', [kv, hidden]],
        ['self_attn.v_proj', [kv, hidden]],
        ['self_attn.o_proj', [hidden, hidden]],
        ['mlp.gate_proj', [inner, hidden]],
        ['mlp.up_proj', [inner, hidden]],
        ['mlp.down_proj', [hidden, inner]],
        ['input_layernorm', [hidden]],
        ['post_attention_layernorm', [hidden]],
      ] as const
    ).map(([name, dims]) => [`model.layers.${at}.${name}.weight`, [...dims]]);
  return [
    ['model.embed_tokens.weight', [vocab, hidden]],
    ...Array.from({ length: shape.num_hidden_layers }, (_, at) => layer(at)).flat(),
    ['model.norm.weight', [hidden]],
    ['lm_head.weight', [vocab, hidden]],
  ];
}

/** A checkpoint of that shape whose weights are all 0, so that its file takes no space on the disk. */
function writeCheckpoint(root: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const presets = JSON.parse(readFileSync(join(root, 'models', 'presets.json'), 'utf8')) as Record<string, Shape>;
  writeFile(join(folder, 'config.json'), JSON.stringify(presets[SHAPE]));
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) {
    copyFileSync(join(root, 'models', 'tiny-tales', name), join(folder, name));
  }
  let end = 0;
  const header: Record<string, object> = {};
  for (const [name, shape] of tensorsOf(presets[SHAPE])) {
    const from = end;
    end += 2 * shape.reduce((product, each) => product * each, 1);
    header[name] = { dtype: 'F16', shape, data_offsets: [from, end] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFile(join(folder, 'model.safetensors'), Buffer.concat([length, text]), 8 + text.length + end);
}

function writeFile(path: string, bytes: string | Buffer, size?: number): void {
  const file = openSync(path, 'w');
  writeSync(file, Buffer.from(bytes));
  if (size !== undefined) ftruncateSync(file, size);
  closeSync(file);
}

/** Bytes that all processes below this one have of memory; what several share is counted once. */
function ofBrowser(): number {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readOr(`/proc/${name}/stat`);
    const parent = /\) \w (\d+)/.exec(stat)?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const below = (pid: number | undefined): boolean =>
    pid !== undefined && (parents.get(pid) === process.pid || below(parents.get(pid)));
  return [...parents.keys()].filter(below).reduce((sum, pid) => {
    const kilobytes = /^Pss:\s+(\d+)/m.exec(readOr(`/proc/${pid}/smaps_rollup`))?.[1];
    return sum + 1024 * Number(kilobytes ?? 0);
  }, 0);
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it has ended meanwhile
  }
}

/** The most that the browser has while something is done. */
async function mostDuring<T>(work: () => Promise<T>): Promise<{ value: T; most: number }> {
  let most = ofBrowser();
  const timer = setInterval(() => (most = Math.max(most, ofBrowser())), EVERY);
  try {
    return { value: await work(), most };
  } finally {
    clearInterval(timer);
  }
}

/** Loads a model from a URL or, where none is given, the folder that was picked, and generates. @returns bytes of weights */
const loaded = (tab: ChromiumTab, url: string | null): Promise<number> =>
  tab.evaluate(async (url) => {
    const model = url ?? [...document.querySelector<HTMLInputElement>('#files')!.files!];
    const engine = await window.ridgepoint.Engine.load({ model, dtype: 'int4' });
    await engine.generate([1, 2, 3], { maxTokens: 2, ignoreEos: true }).result;
    const { weightBytes } = engine.info;
    await engine.dispose();
    return weightBytes;
  }, url);

async function lineOf(what: string, tab: ChromiumTab, url: string | null): Promise<string> {
  const before = ofBrowser();
  const { value: weights, most } = await mostDuring(() => loaded(tab, url));
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  return `${SHAPE} in int4 ${what}: ${mb(before)} before, ${mb(most)} at most, ${mb(weights)} of weights, so ${mb(most - before - weights)} beyond them`;
}

/**
 * What a browser has of memory at most while TinyLlama-1.1B's shape loads in int4 and generates, beyond what it had before
 * and what the weights take: from a picked folder, and from the store of a profile on the disk. SwiftShader's buffers are
 * host memory, so all of the GPU's are in the sum.
 */
export async function memory(built: Built): Promise<string[]> {
  const folder = join(built.extra, 'model');
  writeCheckpoint(built.root, folder);
  const tab = await built.chromium();
  await tab.page.setInputFiles('#files', folder);
  const picked = await lineOf('from a picked folder', tab, null);
  await built.closeBrowsers();
  const url = `${built.url}/extra/model/`;
  const first = await built.chromiumWithProfile();
  const fetched = await lineOf('downloaded into the store and from there', first, url);
  await first.page.close();
  const again = await first.another();
  return [picked, fetched, await lineOf('from the store', again, url)];
}
