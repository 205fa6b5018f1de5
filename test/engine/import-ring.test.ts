import { describe, expect, it } from 'vitest';
import { copyOut, partBytes, type KvPart } from '../../src/cache/block-copy.js';
import { allocatePagedKv } from '../../src/cache/paged-kv.js';
import { ImportRing } from '../../src/engine/import-ring.js';
import { adapters, testGpu } from '../support/adapters.js';

const PLACES = [7, 3, 4, 11, 0];

describe.each(adapters)('keys and values that come in, on %s', (name) => {
  it('lie where they were told to, by more parts at once than there are buffers, the last one where two overlap', async () => {
    const gpu = await testGpu(name);
    const cache = allocatePagedKv(gpu, { heads: 2, kvHeads: 2, headDim: 8 }, 'f32', 3, 12);
    const ring = new ImportRing(gpu, cache);
    const block = { firstLayer: 0, layers: 3, blocks: 1 };
    const bytesOf = (part: KvPart, seed: number): Uint8Array<ArrayBuffer> =>
      Uint8Array.from({ length: partBytes(cache, part) }, (_, at) => (at * 7 + seed * 31) & 255);
    const read = async (part: KvPart, places: readonly number[]): Promise<Uint8Array> => {
      const out = gpu.storage('out', partBytes(cache, part));
      const encoder = gpu.device.createCommandEncoder();
      copyOut(encoder, cache, part, places, out);
      gpu.queue.submit([encoder.finish()]);
      return new Uint8Array(await gpu.read(out, 0, partBytes(cache, part)));
    };
    for (const round of [0, 1]) {
      // Larger ones come later, so that buffers are made anew; the second time there is something mapped to begin with.
      for (const [index, place] of PLACES.entries()) {
        ring.write({ ...block, firstBlock: index }, [place], bytesOf({ ...block, firstBlock: index }, round));
      }
      const whole = { ...block, firstBlock: 0, blocks: PLACES.length };
      const bytes = bytesOf(whole, 10 + round);
      ring.write(whole, PLACES, bytes);
      expect(await read(whole, PLACES)).toEqual(bytes);
      const layer = { firstBlock: 2, blocks: 1, firstLayer: 1, layers: 1 };
      ring.write(layer, [4], bytesOf(layer, 20 + round));
      expect(await read(layer, [4])).toEqual(bytesOf(layer, 20 + round));
      expect(await read({ ...layer, firstLayer: 2 }, [4])).not.toEqual(bytesOf(layer, 20 + round));
    }
    gpu.check();
  });
});
