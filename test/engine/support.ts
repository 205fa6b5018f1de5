import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import type { EngineOptions, Generation, GenerationChunk } from '../../src/engine/api.js';
import type { CoreEngine } from '../../src/engine/engine.js';
import { startEngine } from '../../src/engine/start.js';
import type { EngineHost, HostGpu } from '../../src/engine/host.js';
import { RidgepointError, type ErrorCode } from '../../src/errors.js';
import { parseConfig, type ModelConfig } from '../../src/model/config.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { safetensors, type TensorSpec } from '../checkpoint/support.js';
import { random } from '../reference/compare.js';
import { ReferenceLlama } from '../reference/llama.js';
import { adapters } from '../support/adapters.js';

/** Where cases run that are about the engine and not about kernels: the fastest adapter. */
export const adapter = adapters[0];

/** The `config.json` of a Llama so small that a file of its weights is written in no time. */
export const TINY = {
  architectures: ['LlamaForCausalLM'],
  hidden_size: 24,
  intermediate_size: 44,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 6,
  num_hidden_layers: 2,
  vocab_size: 61,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-5,
  eos_token_id: 2,
  tie_word_embeddings: false,
};

export type Tensors = Record<string, { shape: number[]; values: Float32Array }>;

/** Weights for a configuration, under their Hugging Face names, from a seed. */
export function tinyTensors(json: Partial<typeof TINY> = {}, seed = 1): Tensors {
  const config = parseConfig({ ...TINY, ...json });
  const { layers, hidden, intermediate, heads, kvHeads, headDim, vocab } = config;
  const numbers = random(seed);
  const tensors: Tensors = {};
  const matrix = (name: string, rows: number, cols: number): void => {
    const values = Float32Array.from(numbers.normal(rows * cols, 1 / Math.sqrt(cols)));
    tensors[`${name}.weight`] = { shape: [rows, cols], values };
  };
  const norm = (name: string): void => {
    tensors[`${name}.weight`] = { shape: [hidden], values: Float32Array.from(numbers.uniform(hidden, 0.5, 1.5)) };
  };
  matrix('model.embed_tokens', vocab, hidden);
  for (let layer = 0; layer < layers; layer++) {
    const at = `model.layers.${layer}`;
    norm(`${at}.input_layernorm`);
    matrix(`${at}.self_attn.q_proj`, heads * headDim, hidden);
    matrix(`${at}.self_attn.k_proj`, kvHeads * headDim, hidden);
    matrix(`${at}.self_attn.v_proj`, kvHeads * headDim, hidden);
    matrix(`${at}.self_attn.o_proj`, hidden, heads * headDim);
    norm(`${at}.post_attention_layernorm`);
    matrix(`${at}.mlp.gate_proj`, intermediate, hidden);
    matrix(`${at}.mlp.up_proj`, intermediate, hidden);
    matrix(`${at}.mlp.down_proj`, hidden, intermediate);
  }
  norm('model.norm');
  matrix('lm_head', vocab, hidden);
  return tensors;
}

/** A file of these tensors, F32 unless `dtypes` gives other bytes for a tensor. */
export function checkpointFile(tensors: Tensors, others: Record<string, TensorSpec> = {}): Uint8Array {
  const specs: Record<string, TensorSpec> = {};
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    specs[name] = { dtype: 'F32', shape, data: new Uint8Array(values.buffer) };
  }
  return safetensors({ ...specs, ...others });
}

/** The model in float64. Its weights are those of the file, so an engine in f32 should agree with it. */
export function reference(tensors: Tensors, json: Partial<typeof TINY> = {}): ReferenceLlama {
  const weights = Object.fromEntries(
    Object.entries(tensors).map(([name, { values }]) => [name, Float64Array.from(values)]),
  );
  return new ReferenceLlama(parseConfig({ ...TINY, ...json }) satisfies ModelConfig, weights);
}

const scratch = mkdtempSync(join(tmpdir(), 'ridgepoint-engine-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Writes a folder that is removed when the test file ends. @returns its path */
export function writeFolder(files: Record<string, string | Uint8Array>): string {
  const folder = mkdtempSync(join(scratch, 'model-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

/** A folder with a configuration and a file of weights, no tokenizer. */
export function tinyFolder(json: Record<string, unknown> = {}, file?: Uint8Array): string {
  return writeFolder({
    'config.json': JSON.stringify({ ...TINY, ...json }),
    'model.safetensors': file ?? checkpointFile(tinyTensors(json)),
  });
}

export interface HostChanges {
  /** What the machine claims to have free. */
  readonly freeBytes?: number;
  /** Limits the adapter claims instead of its own. */
  readonly limits?: Readonly<Record<string, number>>;
  /** Sees the device the engine is given. */
  readonly onDevice?: (device: GPUDevice) => void;
}

/** Node's host with some of its answers changed. */
export function changedHost(changes: HostChanges): EngineHost {
  return {
    ...nodeHost,
    openGpu: async (name): Promise<HostGpu> => {
      const gpu = await nodeHost.openGpu(name);
      const { limits } = gpu.adapter;
      const changed = {
        features: gpu.adapter.features,
        info: gpu.adapter.info,
        limits: new Proxy(limits, {
          get: (target, key) => changes.limits?.[key as string] ?? (Reflect.get(target, key, target) as number),
        }),
        requestDevice: async (descriptor: GPUDeviceDescriptor) => {
          const device = await gpu.adapter.requestDevice(descriptor);
          changes.onDevice?.(device);
          return device;
        },
      } as unknown as GPUAdapter;
      const { freeBytes } = changes;
      const claimed = freeBytes === undefined ? undefined : { bytes: freeBytes, by: 'the test' };
      return { ...gpu, adapter: changed, freeMemory: () => (claimed ? Promise.resolve(claimed) : gpu.freeMemory()) };
    },
  };
}

/** Loads an engine, runs `use` and disposes it, whatever happens. */
export async function withEngine<T>(
  options: EngineOptions,
  use: (engine: CoreEngine) => Promise<T> | T,
  host: EngineHost = nodeHost,
): Promise<T> {
  const engine = await startEngine({ adapter, ...options }, host);
  try {
    return await use(engine);
  } finally {
    await engine.dispose();
  }
}

/** The first chunk of a generation that is then left alone, as by breaking out of a loop. */
export async function firstChunk(generation: Generation): Promise<GenerationChunk | undefined> {
  for await (const chunk of generation) return chunk;
  return undefined;
}

/** The message of the RidgepointError of this code that `run` throws; anything else fails the test. */
export async function refusal(code: ErrorCode, run: () => unknown): Promise<string> {
  let thrown: unknown;
  try {
    await run();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(RidgepointError);
  const { message } = thrown as RidgepointError;
  expect((thrown as RidgepointError).code, message).toBe(code);
  expect(message, 'one sentence on one line').not.toMatch(/\n|\.$/);
  return message;
}
