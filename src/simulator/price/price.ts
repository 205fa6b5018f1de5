import type { StepLoad } from '../../scheduler/step-load.js';

export { loadOf, type StepLoad } from '../../scheduler/step-load.js';

/** How long steps take on one machine. */
export interface StepPrice {
  /** Seconds. */
  seconds(load: StepLoad): number;
  /** What a policy that plans ahead expects a step to take, where that is not what it will turn out to take. Seconds. */
  expected?(load: StepLoad): number;
  /** What of the steps priced so far lay outside of what was measured, for prices that come from a table. */
  readonly outside?: { readonly steps: number; readonly of: number };
}

/** The price with so many seconds of the host in each step. */
export function plusHost(price: StepPrice, seconds: number): StepPrice {
  if (seconds === 0) return price;
  return {
    seconds: (load) => price.seconds(load) + seconds,
    expected: (load) => (price.expected?.(load) ?? price.seconds(load)) + seconds,
    get outside() {
      return price.outside;
    },
  };
}
