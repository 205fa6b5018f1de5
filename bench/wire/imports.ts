import { partBytes, writeIn, type KvPart } from '../../src/cache/block-copy.js';
import { allocatePagedKv } from '../../src/cache/paged-kv.js';
import { ImportRing } from '../../src/engine/import-ring.js';
import type { Gpu } from '../../src/gpu/gpu.js';
import { cpuMs } from './made-up.js';

/** Models whose pieces are of 8 MiB: KV heads, and blocks in a piece; 32 layers, heads of 128, f16. */
const MODELS = { 'Llama-3.1-8B': { kvHeads: 8, blocks: 4 }, 'Llama-2-7B': { kvHeads: 32, blocks: 1 } };
const LAYERS = 32;

/** One way to write pieces of one model. */
export interface ImportTimes {
  readonly model: string;
  readonly way: string;
  readonly bytes: number;
  /** Until the call returns, and until the GPU has the piece; milliseconds, of each. */
  readonly calls: readonly number[];
  readonly dones: readonly number[];
  /** Milliseconds of processor time of all of them, the driver's included where it computes on the CPU. */
  readonly cpuMs: number;
}

/** Times pieces of 8 MiB on their way into a cache: as an engine writes them, and by `writeBuffer` beside it. */
export async function measureImports(gpu: Gpu, repetitions: number): Promise<ImportTimes[]> {
  const all: ImportTimes[] = [];
  for (const [model, { kvHeads, blocks }] of Object.entries(MODELS)) {
    await gpu.scoped(async () => {
      const cache = allocatePagedKv(gpu, { heads: 32, kvHeads, headDim: 128 }, 'f16', LAYERS, 8 * blocks);
      const ring = new ImportRing(gpu, cache);
      const part: KvPart = { firstBlock: 0, blocks, firstLayer: 0, layers: LAYERS };
      const bytes = new Uint8Array(partBytes(cache, part)).fill(1);
      const places = Array.from({ length: blocks }, (_, at) => at);
      const ways = {
        'as an engine does': () => ring.write(part, places, bytes),
        writeBuffer: () => writeIn(gpu, cache, part, places, bytes),
        nothing: () => gpu.queue.submit([]),
      };
      for (const [way, write] of Object.entries(ways)) {
        all.push({ model, way, bytes: bytes.length, ...(await timed(gpu, write, repetitions)) });
      }
      await gpu.queue.onSubmittedWorkDone();
    });
  }
  gpu.check();
  return all;
}

/** Not counted: buffers are made, and memory is touched for the first time. */
const WARM_UPS = 5;

async function timed(gpu: Gpu, write: () => void, repetitions: number) {
  const [calls, dones]: number[][] = [[], []];
  let before = process.cpuUsage();
  for (let at = -WARM_UPS; at < repetitions; at++) {
    if (at === 0) before = process.cpuUsage();
    const began = performance.now();
    write();
    const called = performance.now() - began;
    await gpu.queue.onSubmittedWorkDone();
    if (at < 0) continue;
    calls.push(called);
    dones.push(performance.now() - began);
  }
  return { calls, dones, cpuMs: cpuMs(before) };
}
