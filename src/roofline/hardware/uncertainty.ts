import type { EngineId } from './engines.js';
import type { Hardware } from './hardware.js';
import type { Predictor } from '../predict/predictor.js';

/** Seconds that 90 % of measurements lie between, and how likely a limit is kept. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** How much is known of a device under an engine: there are rows of it, of its class, or of neither. */
export type Evidence = 'measured' | 'class' | 'none';

/** Spreads of prompts and of tokens: the logarithm of the factor within which 90 % of measurements lie. */
interface Spread {
  readonly prompts: number;
  readonly tokens: number;
}

const MEASURED = new Set(
  'h100-sxm h100-capped a100-40 a100-80 rtx-4090 apple-m1-max apple-m2-ultra gaudi-2'.split(' '),
);
/** Devices with a handful of rows in a class without any others: they tell no more than a class's do of its members. */
const HARDLY_MEASURED = new Set(['mi250x', 'mi300x']);

/** Devices that llama.cpp's constants are fitted to. Its kernels are its own, so rows of other engines do not count. */
const LLAMA_CPP_FITTED = new Set(
  'rtx-3090 rtx-4090 rtx-a6000 l40s a100-80 h100-pcie apple-m1-max apple-m2-ultra'.split(' '),
);

/**
 * Under llama.cpp, engine, device and 4-bit weights together, as all three are in its rows: what holds nine in ten of those
 * that no fit has seen; of a class, nine in ten of a device's when its constants are fitted to all others.
 */
const LLAMA_CPP: Readonly<Record<Exclude<Evidence, 'none'>, Spread>> = {
  measured: { prompts: 0.165, tokens: 0.1 },
  class: { prompts: 0.2, tokens: 0.15 },
};
/** What holds nine in ten of a chip's fitted rows, where the constants that serve all serve it less well. */
const A100: Spread = { prompts: 0.2, tokens: 0.2 };
const LLAMA_CPP_ON: Readonly<Record<string, Spread | undefined>> = {
  ...{ 'a100-40': A100, 'a100-80': A100, 'a100-pcie': A100 },
};

/** By evidence, for efficiencies of libraries; of a class, by how far its measured members are apart. */
const DEVICE: Readonly<Record<Evidence, Spread>> = {
  measured: { prompts: 0.08, tokens: 0.08 },
  class: { prompts: 0.25, tokens: 0.16 },
  none: { prompts: 0.7, tokens: 0.45 },
};
const CALIBRATED: Spread = { prompts: 0.15, tokens: 0.15 };

/**
 * Of engines: what, beside the device's, holds 90 % of the rows that their costs were fitted to; 0.08 for prompts where
 * those are a handful, and wider where nothing was fitted.
 */
const ENGINE: Readonly<Record<EngineId, Spread>> = {
  'trt-llm': { prompts: 0.25, tokens: 0.14 },
  'trt-llm-2024': { prompts: 0.08, tokens: 0.02 },
  vllm: { prompts: 0.12, tokens: 0.03 },
  'vllm-2024': { prompts: 0.08, tokens: 0.02 },
  'llama.cpp': { prompts: 0.22, tokens: 0.1 },
  'pytorch-eager': { prompts: 0.18, tokens: 0.06 },
  ridgepoint: { prompts: 0.4, tokens: 0.4 },
  none: { prompts: 0.15, tokens: 0.15 },
};
/** Links whose all-reduces nobody measured. */
const UNMEASURED_LINK = 0.25;
/** Weights that are widened, on top of what `unpacking.ts` takes off. */
const UNPACKING = 0.1;

export function evidenceOf({ id, class: family, kind }: Hardware, engine: EngineId): Evidence {
  const measured = engine === 'llama.cpp' ? LLAMA_CPP_FITTED : MEASURED;
  if (kind === 'measured' || measured.has(id)) return 'measured';
  if (family === 'nvidia' || family === 'apple') return 'class';
  return engine !== 'llama.cpp' && HARDLY_MEASURED.has(id) ? 'class' : 'none';
}

/** The spread of a phase: those of device, engine, links and formats, which are taken to have nothing to do with one another. */
export function spreadOf({ hardware, engine, shards, weights, pricer }: Predictor, phase: keyof Spread): number {
  if (hardware.kind === 'measured') return CALIBRATED[phase];
  const evidence = evidenceOf(hardware, engine.id);
  const fitted = engine.id === 'llama.cpp' && evidence !== 'none';
  const parts = fitted
    ? [(LLAMA_CPP_ON[hardware.id] ?? LLAMA_CPP[evidence])[phase]]
    : [DEVICE[evidence][phase], ENGINE[engine.id][phase]];
  if (shards > 1 && !/Vidur|fitted/.test(hardware.link?.allReduceSource ?? '')) parts.push(UNMEASURED_LINK);
  if (/^int/.test(weights) && pricer.kernels === 'tensor' && !fitted) parts.push(UNPACKING);
  return Math.hypot(...parts);
}

export const intervalOf = (seconds: number, spread: number): Interval => ({
  low: seconds * Math.exp(-spread),
  high: seconds * Math.exp(spread),
});

/** Standard deviations within which 90 % of a normal distribution lie. */
const NINETY = 1.645;

/** The likelihood that a duration predicted as `seconds` is at most `limit`, its logarithm being normal. */
export function likelihood(seconds: number, spread: number, limit: number): number {
  return normal((Math.log(limit / seconds) * NINETY) / spread);
}

/** The normal distribution to seven digits (Abramowitz and Stegun, 26.2.17). */
function normal(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const tail =
    (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return z > 0 ? 1 - tail : tail;
}
