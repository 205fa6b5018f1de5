import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { openSafetensors } from '../checkpoint/safetensors/open.js';
import type { ModelSource } from './open.js';

/** Bytes of each tensor that are looked at, in its middle. */
const SAMPLE = 64;
/** Tensors read at once. */
const TOGETHER = 16;

/**
 * Tells one checkpoint from another, wherever they lie: a hash of the configuration, of the names, shapes and formats of
 * all tensors, and of some bytes of each, since a fine-tuned model differs from its base in these alone.
 *
 * @param synthetic weights are made up, so the configuration says it all
 * @throws RidgepointError naming the file that is damaged
 */
export async function modelIdentity({ folder, config }: ModelSource, synthetic: boolean): Promise<string> {
  const hash = sha256.create().update(utf8ToBytes(JSON.stringify(config)));
  if (folder !== undefined && !synthetic) {
    const checkpoint = await openSafetensors(folder);
    try {
      const tensors = [...checkpoint.tensors.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
      hash.update(utf8ToBytes(JSON.stringify(tensors.map(({ name, dtype, shape }) => [name, dtype, shape]))));
      for (let from = 0; from < tensors.length; from += TOGETHER) {
        const samples = tensors.slice(from, from + TOGETHER).map(async ({ name, begin, end }) => {
          const bytes = new Uint8Array(Math.min(SAMPLE, end - begin));
          await checkpoint.readRange(name, Math.floor((end - begin - bytes.length) / 2), bytes);
          return bytes;
        });
        for (const bytes of await Promise.all(samples)) hash.update(bytes);
      }
    } finally {
      await checkpoint.close();
    }
  }
  return bytesToHex(hash.digest()).slice(0, 32);
}
