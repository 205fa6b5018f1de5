import type { BatchShape } from '../../model/operations.js';
import type { Predictor } from './predictor.js';
import { bytesOf, type Price } from './price.js';

/** One kind of operation in a phase, over all layers and chips. */
export interface OperationSummary {
  /** Without its layer: `gate_up`, `attention`, ... */
  readonly name: string;
  readonly launches: number;
  readonly seconds: number;
  readonly flops: number;
  readonly bytes: number;
  readonly intensity: number;
  readonly bottleneck: Price['bottleneck'] | 'link';
}

/** A phase: the prefill as a whole, or one decode step. Work is that of all chips, times are those of the step. */
export interface PhaseSummary {
  readonly seconds: number;
  readonly flops: number;
  readonly bytes: number;
  /** FLOPs per byte. */
  readonly intensity: number;
  /** Where the ceilings meet: peak FLOP/s over bytes/s. */
  readonly ridge: number;
  readonly bottleneck: 'compute' | 'memory' | 'launch' | 'link';
  /** FLOPs done, of those the peak would allow in that time; and bytes, of those the bandwidth would. */
  readonly mfu: number;
  readonly mbu: number;
  /** 1 - MFU. */
  readonly idleCompute: number;
  /** Longest first. */
  readonly operations: readonly OperationSummary[];
}

interface Sum {
  launches: number;
  seconds: number;
  flops: number;
  bytes: number;
  /** Seconds by what bounds them. */
  by: Record<'compute' | 'memory' | 'launch' | 'link', number>;
}

const nothing = (): Sum => ({
  launches: 0,
  seconds: 0,
  flops: 0,
  bytes: 0,
  by: { compute: 0, memory: 0, launch: 0, link: 0 },
});

const largest = ({ by }: Sum): PhaseSummary['bottleneck'] =>
  (Object.keys(by) as (keyof Sum['by'])[]).reduce((best, each) => (by[each] > by[best] ? each : best));

/** Steps with how often each comes: prompts of a batch that go through in chunks are alike, one after the other. */
function alike(steps: readonly BatchShape[]): Iterable<{ step: BatchShape; times: number }> {
  const found = new Map<string, { step: BatchShape; times: number }>();
  for (const step of steps) {
    const sizes = step.sequences.map(({ newTokens, context }) => `${newTokens}+${context}`);
    const key = `${step.logitRows} ${sizes.join()}`;
    const same = found.get(key);
    if (same === undefined) found.set(key, { step, times: 1 });
    else same.times++;
  }
  return found.values();
}

/** @param wholeSeconds of these steps, with what the host adds; the device’s alone are those of the operations */
export function phaseSummary(predictor: Predictor, steps: readonly BatchShape[], wholeSeconds: number): PhaseSummary {
  const { chips, shards, pricer, hardware } = predictor;
  const names = new Map<string, Sum>();
  const total = nothing();
  const add = (name: string, part: Omit<Sum, 'by'>, bottleneck: PhaseSummary['bottleneck']) => {
    const sum = names.get(name) ?? nothing();
    names.set(name, sum);
    for (const each of [sum, total]) {
      for (const key of ['launches', 'seconds', 'flops', 'bytes'] as const) each[key] += part[key];
      each.by[bottleneck] += part.seconds;
    }
  };
  for (const { step, times } of alike(steps)) {
    for (const { operation, count: once, seconds } of predictor.parts(step)) {
      if (operation.m === 0) continue;
      const count = times * once;
      const work = { flops: count * shards * operation.flops, bytes: count * shards * bytesOf(operation) };
      const { bottleneck } = pricer.price(operation);
      add(operation.part, { launches: count, seconds: count * seconds, ...work }, bottleneck);
    }
    for (const { name, count: once, seconds } of predictor.messages(step)) {
      const count = times * once;
      add(name, { launches: count, seconds: count * seconds, flops: 0, bytes: 0 }, 'link');
    }
  }
  total.seconds = wholeSeconds;
  const mfu = total.flops / (chips * pricer.peak.rate * total.seconds);
  return {
    seconds: total.seconds,
    flops: total.flops,
    bytes: total.bytes,
    intensity: total.flops / total.bytes,
    ridge: pricer.peak.rate / hardware.bandwidth,
    bottleneck: largest(total),
    mfu,
    mbu: total.bytes / (chips * hardware.bandwidth * total.seconds),
    idleCompute: 1 - mfu,
    operations: [...names]
      .map(([name, sum]) => ({
        name,
        launches: sum.launches,
        seconds: sum.seconds,
        flops: sum.flops,
        bytes: sum.bytes,
        intensity: sum.bytes > 0 ? sum.flops / sum.bytes : 0,
        bottleneck: largest(sum),
      }))
      .sort((a, b) => b.seconds - a.seconds),
  };
}
