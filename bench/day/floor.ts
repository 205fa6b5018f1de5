import type { ModelConfig } from '../../src/model/config.js';
import { forwardOperations } from '../../src/model/cost.js';
import type { BatchShape, Precision } from '../../src/model/operations.js';
import type { Calibration } from '../../src/roofline/hardware/calibration.js';
import type { Hardware } from '../../src/roofline/hardware/hardware.js';
import type { Peer } from './peer.js';

/** What memory and matrix units of a machine do at best. */
export interface Ceilings {
  readonly bytesPerSecond: number;
  readonly flopsPerSecond: number;
  /** Where the two come from, in words. */
  readonly source: string;
}

/**
 * Ceilings of the machine that was measured: the best that PyTorch or the calibration reached, and no more than the
 * data sheet promises, which a figure out of a cache, or of a pretended device, would be.
 */
export function ceilingsOf(
  listed: Hardware | undefined,
  calibration: Calibration | undefined,
  peer: Peer | undefined,
): Ceilings | undefined {
  const best = (rates: readonly (readonly [number | undefined, string])[], most: number | undefined) => {
    const known = rates.filter((each): each is readonly [number, string] => (each[0] ?? 0) > 0);
    const believed = known.filter(([rate]) => rate <= (most ?? Infinity));
    if (believed.length > 0) return believed.reduce((a, b) => (b[0] > a[0] ? b : a));
    return most === undefined ? undefined : ([most, 'data sheet'] as const);
  };
  const { ceilings } = calibration ?? {};
  const bytes = best(
    [
      [peer?.copy?.bytes_per_second, 'a copy by PyTorch'],
      [ceilings?.readBytesPerSecond, 'a read by the calibration'],
      [ceilings?.copyBytesPerSecond, 'a copy by the calibration'],
    ],
    listed?.bandwidth,
  );
  const matrices = ceilings?.subgroupMatrix.filter(({ componentType }) => componentType === 'f16') ?? [];
  const flops = best(
    [
      [Math.max(0, ...(peer?.mm ?? []).map((each) => each.tflop_per_s * 1e12)), 'a product by PyTorch'],
      [Math.max(0, ...matrices.map((each) => each.flopsPerSecond)), 'matrices by the calibration'],
    ],
    listed?.dense.f16,
  );
  if (bytes === undefined || flops === undefined) return undefined;
  const rate = (value: number, unit: string): string => `${(value / 1e12).toPrecision(3)} T${unit}`;
  return {
    bytesPerSecond: bytes[0],
    flopsPerSecond: flops[0],
    source: `${rate(bytes[0], 'B/s')} (${bytes[1]}), ${rate(flops[0], 'FLOP/s')} (${flops[1]})`,
  };
}

/**
 * The least milliseconds of a step: weights and keys and values once through memory, or all products on the matrix
 * units, whichever takes longer. Activations are left out: caches hold them.
 */
export function floorMs(config: ModelConfig, batch: BatchShape, precision: Precision, ceilings: Ceilings): number {
  let bytes = 0;
  let flops = 0;
  for (const operation of forwardOperations(config, batch, precision)) {
    bytes += operation.weightBytes + operation.kvReadBytes + operation.kvWriteBytes;
    flops += operation.flops;
  }
  return 1000 * Math.max(bytes / ceilings.bytesPerSecond, flops / ceilings.flopsPerSecond);
}
