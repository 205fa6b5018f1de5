import type { BenchOptions } from './schema.js';

/** One thing to measure. */
export type BenchPoint = {
  readonly id: string;
  /** Which of several engines runs it. */
  readonly engine?: string;
} & (
  | { readonly kind: 'ttft'; readonly prompt: number }
  | { readonly kind: 'tpot'; readonly context: number; readonly batch: number; readonly gen: number }
  | { readonly kind: 'llama-bench'; readonly prompt: number; readonly gen: number; readonly depth: number }
  | {
      readonly kind: 'operations';
      readonly phase: 'prefill' | 'decode';
      readonly tokens: number;
      readonly batch: number;
      readonly context: number;
    }
);

export interface SkippedPoint {
  readonly id: string;
  readonly reason: string;
}

/** Room for sequences, as far as what fits depends on it. */
export interface PlanLimits {
  readonly contextLength: number;
  /** Tokens of all sequences together. */
  readonly kvTokens: number;
  readonly sequences: number;
  /** Most prompt tokens of a step, which single steps cannot exceed; any number when absent. */
  readonly chunk?: number;
}

export const BLOCK = 16;
const inBlocks = (tokens: number): number => Math.ceil(tokens / BLOCK) * BLOCK;

/** A request has one prompt token at least, so a context of 0 is a prompt of one. */
export const promptOf = (context: number): number => Math.max(context, 1);

/** Points in the order they run, cheap ones of each kind first, and those that do not fit with why. */
export function plan(options: BenchOptions, limits: PlanLimits): { points: BenchPoint[]; skipped: SkippedPoint[] } {
  const points: BenchPoint[] = [];
  const skipped: SkippedPoint[] = [];
  for (const point of candidates(options)) {
    const reason = whyNot(point, limits);
    if (reason === undefined) points.push(point);
    else skipped.push({ id: point.id, reason });
  }
  return { points, skipped };
}

/**
 * Tokens the cache must hold for all points that fit a context of `contextLength`, rounded up to whole blocks. The
 * engine lets nobody in who would leave the others without a free block each, or less than a hundredth of all, so
 * sequences that are to decode together need that much more.
 */
export function kvTokensFor(options: BenchOptions, contextLength: number): number {
  const fitting = candidates(options).map((point) => {
    const { each, sequences } = room(point);
    const tokens = each <= contextLength ? inBlocks(each) * sequences : 0;
    return sequences === 1 ? tokens : tokens + Math.max(sequences * BLOCK, inBlocks(tokens / 50));
  });
  return Math.max(inBlocks(contextLength), ...fitting);
}

function candidates({ prompts, contexts, batches, gen, grid, parts }: BenchOptions): BenchPoint[] {
  const points: BenchPoint[] = [];
  const ascending = (list: readonly number[]): number[] => [...new Set(list)].sort((a, b) => a - b);
  const [ps, cs, bs] = [ascending(prompts), ascending(contexts), ascending(batches)];
  const middle = cs[Math.floor(cs.length / 2)];
  if (parts.includes('end-to-end')) {
    for (const prompt of ps) points.push({ kind: 'ttft', id: `ttft p${prompt}`, prompt });
    for (const context of cs) {
      for (const batch of bs) {
        if (grid === 'cross' && batch !== bs[0] && context !== middle) continue;
        points.push({ kind: 'tpot', id: `tpot c${context} b${batch} g${gen}`, context, batch, gen });
      }
    }
  }
  if (parts.includes('llama-bench')) {
    for (const prompt of ps) points.push({ kind: 'llama-bench', id: `pp${prompt}`, prompt, gen: 0, depth: 0 });
    for (const depth of cs) {
      const id = depth === 0 ? `tg${gen}` : `tg${gen} @ d${depth}`;
      points.push({ kind: 'llama-bench', id, prompt: 0, gen, depth });
    }
  }
  if (parts.includes('operations')) {
    for (const tokens of ps) {
      points.push({ kind: 'operations', id: `operations p${tokens}`, phase: 'prefill', tokens, batch: 1, context: 0 });
    }
    for (const batch of new Set([bs[0], bs.at(-1)!])) {
      const id = `operations c${middle} b${batch}`;
      points.push({ kind: 'operations', id, phase: 'decode', tokens: 1, batch, context: middle });
    }
  }
  return points;
}

/** Positions of each sequence, and how many there are. */
function room(point: BenchPoint): { each: number; sequences: number } {
  switch (point.kind) {
    case 'ttft':
      return { each: point.prompt + 1, sequences: 1 };
    case 'tpot':
      return { each: promptOf(point.context) + point.gen, sequences: point.batch };
    case 'llama-bench':
      return { each: point.prompt + point.depth + point.gen, sequences: 1 };
    case 'operations':
      return { each: point.context + point.tokens, sequences: point.batch };
  }
}

function whyNot(point: BenchPoint, { contextLength, kvTokens, sequences, chunk }: PlanLimits): string | undefined {
  const needs = room(point);
  if (point.kind === 'operations' && chunk !== undefined && point.tokens > chunk) {
    return `needs a step of ${point.tokens} tokens, the prefill chunk is ${chunk}`;
  }
  if (point.kind === 'tpot' && point.gen < 2) return 'TPOT needs at least 2 generated tokens';
  if (needs.each > contextLength) return `needs ${needs.each} positions, the context is ${contextLength}`;
  if (needs.sequences > sequences) return `needs ${needs.sequences} sequences, the engine holds ${sequences}`;
  const tokens = inBlocks(needs.each) * needs.sequences;
  return tokens > kvTokens ? `needs a KV cache of ${tokens} tokens, there is one of ${kvTokens}` : undefined;
}
