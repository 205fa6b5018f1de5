import type { Hardware } from '../hardware.js';
import { unmeasured } from './links.js';
import { GIB } from './units.js';

const chip = { kind: 'datacentre', capacityUnit: 'GiB' } as const;
/** No page gives what vector units reach; a sixteenth of the matrix rate is the middle of what GPUs have. */
const VECTOR = 'vector rates, taken as a sixteenth of the matrix rate';
const vector = (f16: number) => ({ f32: f16 / 16, f16: f16 / 16 });
const TPU_DOCS = 'docs.cloud.google.com/tpu';

/** Chips that are no GPUs. */
export const ACCELERATORS: readonly Hardware[] = [
  {
    ...chip,
    class: 'gaudi',
    id: 'gaudi-2',
    name: 'Intel Gaudi 2',
    dense: { f16: 432e12, fp8: 865e12 },
    shader: { f32: 11e12, f16: 22e12 },
    bandwidth: 2450e9,
    capacityBytes: 96 * GIB,
    link: unmeasured('21 x 100 Gb Ethernet', 525e9),
    tdpWatts: 600,
    source: 'Intel Gaudi 2 (bf16 432 TFLOP/s, 96 GB, 2.45 TB/s)',
    unchecked: 'all figures',
  },
  {
    ...chip,
    class: 'gaudi',
    id: 'gaudi-3',
    name: 'Intel Gaudi 3',
    dense: { f16: 1835e12, fp8: 1835e12 },
    shader: { f32: 14.35e12, f16: 28.7e12 },
    bandwidth: 3670e9,
    capacityBytes: 128 * GIB,
    link: unmeasured('21 x 200 Gb Ethernet', 1050e9),
    tdpWatts: 900,
    priceUsd: 15_625,
    source:
      'hmc-tech (1.84 PFLOP/s in bf16 and fp8, vectors, 900 W); The Register, April 2024 (128 GB, 3.7 TB/s); price: a kit of eight for $125,000 (2024)',
  },
  {
    ...chip,
    class: 'tpu',
    id: 'tpu-v5e',
    name: 'Google TPU v5e',
    dense: { f16: 197e12, int8: 393e12 },
    shader: vector(197e12),
    bandwidth: 819e9,
    capacityBytes: 16 * GIB,
    link: unmeasured('ICI', 400e9),
    source: `${TPU_DOCS}/docs/v5e (197 and 393, 16 GB, 819 GB/s, 400 GB/s between chips)`,
    unchecked: VECTOR,
  },
  {
    ...chip,
    class: 'tpu',
    id: 'tpu-v5p',
    name: 'Google TPU v5p',
    dense: { f16: 459e12, int8: 918e12 },
    shader: vector(459e12),
    bandwidth: 2765e9,
    capacityBytes: 95e9,
    capacityUnit: 'GB',
    link: unmeasured('ICI', 1200e9),
    source: 'rooflinenotes.dev (459 TFLOP/s, 95 GB, 2.765 TB/s)',
    unchecked: `int8 and the link; ${VECTOR}`,
  },
  {
    ...chip,
    class: 'tpu',
    id: 'tpu-v6e',
    name: 'Google TPU v6e (Trillium)',
    dense: { f16: 918e12, int8: 1836e12 },
    shader: vector(918e12),
    bandwidth: 1638e9,
    capacityBytes: 32 * GIB,
    link: unmeasured('ICI', 800e9),
    source: `${TPU_DOCS}/docs/v6e (918 and 1836, 32 GB, 1638 GB/s, 800 GB/s between chips)`,
    unchecked: VECTOR,
  },
  {
    ...chip,
    class: 'trainium',
    id: 'trainium-2',
    name: 'AWS Trainium2',
    dense: { f16: 667e12, fp8: 1299e12 },
    shader: vector(667e12),
    bandwidth: 2900e9,
    capacityBytes: 96 * GIB,
    link: unmeasured('NeuronLink', 1024e9),
    source: 'rooflinenotes.dev (667 TFLOP/s, 96 GiB, 2.9 TB/s)',
    unchecked: `fp8 and the link; ${VECTOR}`,
  },
];
