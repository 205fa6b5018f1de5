import type { StepLoad } from '../../scheduler/step-load.js';
import type { StepPrice } from '../../simulator/price/price.js';

/** What is known of the machine that steps run on, from its calibration. */
export interface Machine {
  /** What steps take. */
  readonly price?: StepPrice;
  /** Ceilings: bytes a second of memory, FLOP/s of what computes most. */
  readonly roof?: { readonly bytesPerSecond: number; readonly flopsPerSecond: number };
  /** What a step computes and moves at least. */
  readonly work?: (load: StepLoad) => { readonly flops: number; readonly bytes: number };
}
