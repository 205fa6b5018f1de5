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
import { figuresOf, type SeedFigure } from './figure.js';

const { wrong } = figuresOf('003');
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
    'The page’s own output says 8.35 ms.',
    ' ms',
  ),
  wrong(
    'W1.2',
    'section 2',
    'part of ITL without bandwidth',
    'none',
    () => model.layers * MLSYSIM_LAYER_TAX_MS['mlsysim-seed'],
    'A constant 0.1 ms a layer sits in every ITL of the page, and no bandwidth shortens it.',
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
  wrong(
    'W4.3',
    'section 4',
    'ITL, fp16 over int8: half the bytes',
    '2× (implied)',
    () => seed().itlMs / mlsysim('mlsysim-seed', { precision: 'int8' }).itlMs,
    'The constant tax again: only the 4.8 ms of reading weights are halved, and the cache’s 0.4 ms.',
  ),
  wrong(
    'W5.1',
    'section 5',
    'TTFT on H100, 2048 tokens as elsewhere',
    '133.0 ms',
    () => seed().ttftMs,
    'The four-GPU table is for 4096 tokens, which is said nowhere. The verdicts would be the same at 2048.',
  ),
  wrong(
    'W5.2',
    'section 2',
    'TTFT with the S² FLOPs of attention',
    '66.52 ms',
    () => mlsysim('mlsysim-main').ttftMs,
    'The formula leaves attention out; the newer source has it. It also takes 50% of the FLOPs and 100% of the bandwidth.',
  ),
  wrong(
    'W5.3',
    'section 2',
    'ITL by the newer source',
    '8.35 ms',
    () => mlsysim('mlsysim-main').itlMs,
    '0.01 ms a layer and grouped KV heads: 38% less on the same hardware.',
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
    'W6.2',
    'exercise 1',
    'ITL of 70B over 8B',
    '9×',
    () => mlsysim('mlsysim-seed', { model: large }).itlMs / seed().itlMs,
    'The tax grows with the layers (80 over 32), not with the parameters.',
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
  wrong(
    'W6.5',
    'exercise 3',
    '... with the model’s own KV cache',
    '32,768 tokens (at most)',
    crossing(groupedDifference),
    'Beyond the sweep, and beyond the model’s context.',
  ),
  wrong(
    'W6.6',
    'exercise 3',
    '... with attention and measured efficiencies',
    '32,768 tokens (at most)',
    crossing(causalDifference),
    'Causal attention, 70% of the FLOPs, 78% of the bandwidth, 0.01 ms a layer. Quadratic attention brings the crossing nearer, still outside the sweep.',
  ),
  wrong(
    'W7',
    'section 2',
    'memory utilisation in decimal GB',
    '20.1%',
    () => (100 * (seed().weightBytes + seed().kvBytes)) / 80e9,
    'Weights are printed in decimal GB, capacity is taken as 80 GiB.',
  ),
];
