import type { Efficiency } from '../families.js';
import type { Hardware } from '../hardware.js';
import { H100_FIT, H100_SOURCE } from './fitted.js';
import { LINKS } from './links.js';
import { GIB } from './units.js';

/**
 * A published rate, 750 tokens/s for Llama-2-7B at 2048 tokens of context, is 13 % of what the memory of one chip after
 * the other would allow.
 */
const GROQ: Efficiency = { compute: 0.7, bandwidth: 0.13, overlap: Infinity, launchSeconds: 0 };
const GROQ_FIT = {
  'matmul-few': GROQ,
  'matmul-many': GROQ,
  'attention-decode': GROQ,
  'attention-prefill': GROQ,
  elementwise: GROQ,
  sample: GROQ,
} as const;
const GROQ_SOURCE = 'bandwidth share from the published 750 tokens/s for Llama-2-7B; compute share assumed';

/**
 * A compiler lays out all of the SRAM before anything runs: no driver, allocator or fragment keeps a share. With Llama-2-7B
 * in f16, 13.477 GB, the 16.56 GB of the rack leave 5,880 tokens of keys and values.
 */
const GROQ_USABLE = 1;

const SPAD_SOURCE = 'SPAD, table 3';
const SPAD_EFFICIENCY = `${H100_SOURCE}, which the proposals are variants of`;

/** Machines of another kind, and chips that exist on paper. */
export const SPECIAL: readonly Hardware[] = [
  {
    id: 'groqchip',
    name: 'GroqChip 1',
    kind: 'sram',
    dense: { f16: 188e12, int8: 750e12 },
    shader: { f32: 188e12, f16: 188e12 },
    bandwidth: 80_000e9,
    capacityBytes: 0.23e9,
    capacityUnit: 'GB',
    usableShare: GROQ_USABLE,
    tdpWatts: 215,
    efficiencies: GROQ_FIT,
    efficiencySource: GROQ_SOURCE,
    source: 'ALCF documentation; mlsysim (215 W on average, 300 W at most)',
    note: 'on-chip memory only; element-wise work runs in the same pipeline, so it has no rate of its own',
  },
  {
    id: 'groqrack',
    name: 'GroqRack (72 chips, pipelined)',
    kind: 'sram',
    // Each layer lives on chips of its own and a token visits them in turn, so a step sees one chip's rates.
    dense: { f16: 188e12, int8: 750e12 },
    shader: { f32: 188e12, f16: 188e12 },
    bandwidth: 80_000e9,
    capacityBytes: 72 * 0.23e9,
    capacityUnit: 'GB',
    usableShare: GROQ_USABLE,
    chips: 72,
    maxBatch: 1,
    tdpWatts: 72 * 215,
    efficiencies: GROQ_FIT,
    efficiencySource: GROQ_SOURCE,
    source: 'ALCF documentation: 9 nodes of 8 chips',
    note: 'serves one request at a time; all chips together would do 13,536 TFLOP/s; power is 72 times a chip’s',
  },
  {
    id: 'spad-prefill',
    name: 'SPAD Prefill chip',
    kind: 'proposed',
    dense: { f16: 1919e12 },
    shader: { f32: 32.4e12, f16: 64.8e12 },
    bandwidth: 2048e9,
    capacityBytes: 64 * GIB,
    capacityUnit: 'GiB',
    link: LINKS.nvlinkClass,
    tdpWatts: 596,
    efficiencies: H100_FIT,
    efficiencySource: SPAD_EFFICIENCY,
    source: SPAD_SOURCE,
    note: 'packed f16 assumed twice f32, as on H100',
  },
  {
    id: 'spad-decode',
    name: 'SPAD Decode chip',
    kind: 'proposed',
    dense: { f16: 540e12 },
    shader: { f32: 18.2e12, f16: 36.4e12 },
    bandwidth: 3352e9,
    capacityBytes: 80 * GIB,
    capacityUnit: 'GiB',
    link: LINKS.nvlinkClass,
    tdpWatts: 507,
    efficiencies: H100_FIT,
    efficiencySource: SPAD_EFFICIENCY,
    source: SPAD_SOURCE,
    note: 'its stated bus, 5120 bits at 5.2 Gb/s, gives 3328 GB/s; packed f16 assumed twice f32',
  },
];
