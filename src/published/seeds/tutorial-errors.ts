import {
  attentionFlops,
  kvBytesGrouped,
  MLSYSIM_HARDWARE,
  MLSYSIM_LAYER_TAX_MS,
  MLSYSIM_MODELS,
  mlsysim,
  phaseCrossover,
  ttftShare,
  type MlsysimHardware,
} from '../mlsysim.js';
import type { SeedFigure } from './figure.js';
import { figuresOf } from './short-forms.js';

const { wrong, beyond } = figuresOf('003');
const model = MLSYSIM_MODELS['llama3-8b'];
const large = MLSYSIM_MODELS['llama3-70b'];
const { A100, H100, H200 } = MLSYSIM_HARDWARE;
const seed = () => mlsysim('mlsysim-seed');
const itlOn = (hardware: MlsysimHardware) => mlsysim('mlsysim-seed', { hardware }).itlMs;

/** Prefill less 256 decode steps, ms, with the page's own formulas. */
const seedDifference = (tokens: number) => {
  const { ttftMs, itlMs } = mlsysim('mlsysim-seed', { tokens });
  return ttftMs - 256 * itlMs;
};

/** The same with the cache the model really has. */
const groupedDifference = (tokens: number) => {
  const { ttftMs, weightBytes } = mlsysim('mlsysim-seed', { tokens });
  const bytes = weightBytes + kvBytesGrouped(model, tokens);
  return ttftMs - 256 * ((bytes / H100.bandwidth) * 1e3 + model.layers * MLSYSIM_LAYER_TAX_MS['mlsysim-seed']);
};

/** With causal attention too, 70 % of the FLOPs, 78 % of the bandwidth and the newer tax a layer. */
const causalDifference = (tokens: number) => {
  const flops = 2 * model.parameters * tokens + attentionFlops(model, tokens) / 2;
  const bytes = 2 * model.parameters + kvBytesGrouped(model, tokens);
  const tax = model.layers * MLSYSIM_LAYER_TAX_MS['mlsysim-main'];
  return (flops / (0.7 * H100.flops.fp16)) * 1e3 - 256 * ((bytes / (0.78 * H100.bandwidth)) * 1e3 + tax);
};

const crossing = (difference: (tokens: number) => number) => () => {
  const tokens = phaseCrossover(difference);
  return tokens === undefined ? 'never' : tokens;
};

export const TUTORIAL_ERRORS: readonly SeedFigure[] = [
  wrong(
    'W1.1',
    'section 2',
    'ITL as described in the text',
    'below 1 ms (in words)',
    () => seed().itlMs,
    'The page’s own output says 8.35 ms, 3.2 of them a constant 0.1 ms a layer that no bandwidth shortens.',
    ' ms',
  ),
  wrong(
    'W2.1',
    'section 4',
    'TTFT in int8, weights only',
    '33.25 ms',
    () => mlsysim('mlsysim-seed', { precision: 'int8', computePrecision: 'fp16' }).ttftMs,
    'The text says fewer bytes do not help prefill, yet the row is halved, by the int8 arithmetic rate. That is W8A8; ' +
      'weight-only int8 keeps the fp16 time. Precision of weights and of arithmetic are two things.',
  ),
  wrong(
    'W2.2',
    'section 4',
    'TTFT in int4, arithmetic in int8',
    '66.52 ms',
    () => mlsysim('mlsysim-seed', { precision: 'int4', computePrecision: 'int8' }).ttftMs,
    'int4 has no rate in the hardware table and falls back to fp16’s, so the table is not even monotone.',
  ),
  wrong(
    'W3',
    'section 2',
    'KV cache of Llama-3 8B, 2048 tokens',
    '1.20 GB',
    () => kvBytesGrouped(model, 2048) / 1e9,
    '8 KV heads of 128, not a hidden size guessed from the parameter count: 131,072 bytes a token.',
  ),
  wrong(
    'W4.1',
    'section 3',
    'ITL, A100 over H100: ratio of bandwidths',
    `${(H100.bandwidth / A100.bandwidth).toFixed(2)}× (implied)`,
    () => itlOn(A100) / itlOn(H100),
    'The section says ITL scales with bandwidth; its table is missing in our copy (1.7× is quoted for it). ' +
      'With 3.2 ms of constant tax the model gives less.',
  ),
  wrong(
    'W4.2',
    'section 3',
    'ITL, H100 over H200: ratio of bandwidths',
    `${(H200.bandwidth / H100.bandwidth).toFixed(2)}× (implied)`,
    () => itlOn(H100) / itlOn(H200),
    'As above (1.4× is quoted).',
  ),
  beyond(
    'W5.2',
    'section 2',
    'TTFT with the S² FLOPs of attention',
    '66.52 ms',
    'Another version’s formula: the newer source counts attention. Both take 50% of the FLOPs and 100% of the bandwidth.',
    () => mlsysim('mlsysim-main').ttftMs,
  ),
  beyond(
    'W5.3',
    'section 2',
    'ITL by the newer source',
    '8.35 ms',
    'Another version’s formula: 0.01 ms a layer and grouped KV heads, 38% less on the same hardware.',
    () => mlsysim('mlsysim-main').itlMs,
  ),
  wrong(
    'W6.1',
    'exercise 1',
    'memory that 70B needs on one H100',
    `${(H100.capacity / 1e9).toFixed(1)} GB (capacity)`,
    () => (mlsysim('mlsysim-seed', { model: large }).utilisation * H100.capacity) / 1e9,
    'It does not fit, so the comparison has no hardware.',
  ),
  wrong(
    'W6.3',
    'exercise 2',
    'TTFT’s share, 4000 tokens in and 100 out',
    'TTFT-dominated',
    () => 100 * ttftShare('mlsysim-seed', 4000, 100),
    'By the page’s own numbers the summariser is decode-bound as well.',
    '%',
  ),
  wrong(
    'W6.4',
    'exercise 3',
    'prompt where TTFT passes 256 decode steps',
    'in 128–32,768 tokens',
    crossing(seedDifference),
    'The inferred cache makes 256 steps dearer by the token faster than it does prefill.',
  ),
  beyond(
    'W6.5',
    'exercise 3',
    '... with the model’s own KV cache',
    '32,768 tokens (at most)',
    'The same error seen with the right cache: beyond the sweep, and beyond the model’s context.',
    crossing(groupedDifference),
  ),
  beyond(
    'W6.6',
    'exercise 3',
    '... with attention and measured efficiencies',
    '32,768 tokens (at most)',
    'Causal attention, 70% of the FLOPs, 78% of the bandwidth, 0.01 ms a layer. Quadratic attention brings the crossing nearer, still outside the sweep.',
    crossing(causalDifference),
  ),
];
