import type { BatchShape, Operation } from '../../model/operations.js';
import type { Predictor } from './predictor.js';
import { sumOver } from './sum-over.js';

/** A step that makes one token for each of `batch` sequences with `context` tokens in the cache. */
export function decodeStep(context: number, batch: number): BatchShape {
  return { sequences: Array<BatchShape['sequences'][number]>(batch).fill({ newTokens: 1, context }), logitRows: batch };
}

/** Two contexts that costs are taken at; any would do. */
const [NEAR, FAR] = [0, 4096];

interface Growing {
  readonly near: Operation;
  readonly far: Operation;
  readonly count: number;
  /** The operation at the context that was asked for last: one object for all, since there are millions. */
  readonly now: { -readonly [Key in keyof Operation]: Operation[Key] };
}

/**
 * Decode steps of a batch at any context. Costs grow linearly with the context, up to the window of attention where it
 * has one, so two of them tell all the others, and most operations do not depend on it at all.
 */
export class DecodeLine {
  /** Of a step, in what does not depend on the context. */
  readonly #fixedSeconds: number;
  readonly #growing: Growing[] = [];
  readonly #predictor: Predictor;

  constructor(predictor: Predictor, batch: number) {
    this.#predictor = predictor;
    const step = decodeStep(NEAR, batch);
    const far = predictor.parts(decodeStep(FAR, batch));
    let fixed = predictor.linkSeconds(step);
    predictor.parts(step).forEach(({ operation: near, count, seconds }, index) => {
      const { operation } = far[index];
      if (near.flops === operation.flops && near.kvReadBytes === operation.kvReadBytes) fixed += count * seconds;
      else this.#growing.push({ near, far: operation, count, now: { ...near } });
    });
    this.#fixedSeconds = fixed;
  }

  /** Seconds on the device of `steps` steps, the first with `context` tokens in the cache. */
  seconds(context: number, steps: number): number {
    let sum = steps * this.#fixedSeconds;
    for (const each of this.#growing) sum += each.count * this.#seconds(each, context, steps);
    return sum;
  }

  /** Of one of them. Once as much is in the cache as a token sees, steps are alike. */
  #seconds(each: Growing, context: number, steps: number): number {
    const { window = Infinity } = each.near;
    if (steps === 1 && window - 1 - context >= 1) return this.#at(each, context);
    const growing = Math.min(steps, Math.max(0, window - 1 - context));
    const seen = growing === 0 ? 0 : sumOver(growing, (step) => this.#at(each, context + step));
    return growing === steps ? seen : seen + (steps - growing) * this.#at(each, window - 1);
  }

  #at({ near, far, now }: Growing, context: number): number {
    const share = (context - NEAR) / (Math.min(FAR, (near.window ?? Infinity) - 1) - NEAR);
    now.flops = near.flops + share * (far.flops - near.flops);
    now.activationBytes = near.activationBytes + share * (far.activationBytes - near.activationBytes);
    now.kvReadBytes = near.kvReadBytes + share * (far.kvReadBytes - near.kvReadBytes);
    return this.#predictor.pricer.seconds(now);
  }
}
