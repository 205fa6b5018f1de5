import { randomBytes } from 'node:crypto';
import type { KvPiece } from '../../src/engine/prefill-run.js';
import type { KvLayout, KvNumerics } from '../../src/engine/kv-transfer.js';

/** Bytes of a piece; what an engine hands out at most. */
export const PIECE_BYTES = 8 << 20;

const layout: KvLayout = {
  ...{ checkpoint: 'made up', rope: 'made up', kvDtype: 'f16' },
  ...{ layers: 1, kvHeads: 1, headDim: 1, blockTokens: 16 },
};
const numerics: KvNumerics = {
  ...{ adapter: 'none', driver: 'none', dtype: 'f16', headDtype: 'f16', activations: 'f32', kernels: 'none' },
};

/** What a connection is told of an engine that computes nothing, so that only the connection is measured. */
export const madeUp = { layout: () => Promise.resolve(layout), numerics: () => numerics };

/** As many pieces as the first id says. */
export async function* pieces([count]: readonly number[]): AsyncGenerator<KvPiece, void, undefined> {
  const bytes = randomBytes(PIECE_BYTES);
  for (let at = 0; at < count; at++) {
    yield { firstBlock: at, blocks: 1, firstLayer: 0, layers: 1, bytes };
    // As a mapping would.
    await Promise.resolve();
  }
}

/** Milliseconds of processor time of this process since `before`. */
export function cpuMs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
