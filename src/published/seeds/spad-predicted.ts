import { hardwareById } from '../../roofline/hardware/catalogue.js';
import { decodeStep } from '../../roofline/predict/decode-line.js';
import { scaled } from '../../roofline/hardware/hardware.js';
import type { BatchShape } from '../../model/operations.js';
import { BLOOM_176B } from '../../roofline/models/bloom.js';
import { Predictor } from '../../roofline/predict/predictor.js';
import { bytesOf } from '../../roofline/predict/price.js';
import { grid, type GridCell } from '../../roofline/questions/grid.js';
import { ChipFigures, predictedClock, type Chip } from '../spad/chip-figures.js';
import type { SeedFigure } from './figure.js';
import { figuresOf } from './short-forms.js';
import { predictorOf } from './subjects.js';

const { predicted, beyond } = figuresOf('001');

/** BLOOM-176B in fp16 on eight chips, as in all of the paper's chip simulations. */
const on = (hardware: string) => predictorOf('bloom-176b', hardware, { tensorParallel: 8 });
const TOKENS = 1024;
const [PREFILL_BATCH, DECODE_BATCH] = [2, 64];
const THEIRS =
  'The paper’s H100 is a model in LLMCompass that is not published; ours is fitted to measured layers, and attention is fused.';

const chips = new ChipFigures(predictedClock());
const prefillRise = (gigabytes: number) => () => chips.prefillRise(gigabytes);
const decodeRise = (cores: number) => () => chips.decodeRise(cores);
const h100With = (resources: { compute?: number; bandwidth?: number }) =>
  new Predictor(BLOOM_176B, scaled(hardwareById('h100-sxm'), resources), { tensorParallel: 8 });

const promptStep = () => on('h100-sxm').prefillSteps(TOKENS, PREFILL_BATCH)[0];

/** FLOPs a byte of matrix products and of attention's, which is what the figure counts. */
function intensity(step: BatchShape): number {
  let [flops, bytes] = [0, 0];
  for (const { operation, count } of on('h100-sxm').parts(step)) {
    if (operation.kind !== 'matmul' && operation.kind !== 'attention') continue;
    flops += count * operation.flops;
    bytes += count * bytesOf(operation);
  }
  return flops / bytes;
}

/** The paper's axes: what fits of them counts. */
const [BATCHES, LENGTHS] = [
  [1, 2, 4, 8, 16, 32, 64, 128, 256],
  [128, 256, 512, 1024, 2048, 4096, 8192],
];
const maps = new Map<string, GridCell[]>();

function mapOf(hardware: string): GridCell[] {
  let cells = maps.get(hardware);
  if (cells === undefined) maps.set(hardware, (cells = grid(on(hardware), on('h100-sxm'), BATCHES, LENGTHS)));
  return cells;
}

const performance = (id: Chip['id'], phase: GridCell['phase']) => () => chips.performance(id, phase);

/** What a tenth less of a resource costs a phase, in percent: 11 where it is all there is. */
function pinch(resource: 'compute' | 'bandwidth', seconds: (predictor: Predictor) => number): number {
  return 100 * (seconds(h100With({ [resource]: 0.9 })) / seconds(on('h100-sxm')) - 1);
}
const shortPrompt = (predictor: Predictor) => predictor.prefillSeconds(64);
const longBatch = (predictor: Predictor) => predictor.decodeStepSeconds(128, 256);

/** Of a prefill and of a decode step of the figure. */
export const intensities = (): readonly [prefill: number, decode: number] => [
  intensity(promptStep()),
  intensity(decodeStep(TOKENS, DECODE_BATCH)),
];

export const SPAD_PREDICTED: readonly SeedFigure[] = [
  predicted(
    '001.f1.prefill',
    'Figure 1',
    'intensity of prefill, batch 2',
    'drawn only',
    () => intensity(promptStep()),
    'Matrix products and attention, FLOPs a byte on each chip.',
    {
      unit: ' FLOP/byte',
    },
  ),
  predicted(
    '001.f1.decode',
    'Figure 1',
    'intensity of decode, batch 64',
    'drawn only',
    () => intensity(decodeStep(TOKENS, DECODE_BATCH)),
    'As above: beside an H100’s ridge of 295.',
    {
      unit: ' FLOP/byte',
    },
  ),
  predicted('001.f2.2500', 'Figure 2', 'prefill latency at 2500 GB/s', '+8%', prefillRise(2500), THEIRS),
  predicted('001.f2.2000', 'Figure 2', 'prefill latency at 2 TB/s', '+17%', prefillRise(2000), THEIRS),
  predicted('001.f2.1500', 'Figure 2', 'prefill latency at 1.5 TB/s', '+32%', prefillRise(1500), THEIRS),
  predicted('001.f2.matmul', 'Figure 2', 'matmul latency from 4 to 2 TB/s', '+16%', () => chips.productRise(), THEIRS),
  predicted('001.f3.108', 'Figure 3', 'decode latency with 108 cores', '+2%', decodeRise(108), THEIRS),
  predicted('001.f3.66', 'Figure 3', 'decode latency with half the cores', '+22%', decodeRise(66), THEIRS),
  predicted(
    '001.f7.p.prefill',
    'Table 3',
    'Prefill Chip: prefill performance',
    '1.08',
    performance('spad-prefill', 'prefill'),
    'Mean over the batches and lengths that fit, which the paper does not list: "predict --grid" prints the map.',
  ),
  predicted(
    '001.f7.p.decode',
    'Table 3',
    'Prefill Chip: decode performance',
    '0.80',
    performance('spad-prefill', 'decode'),
    'As above.',
  ),
  predicted(
    '001.f7.d.prefill',
    'Table 3',
    'Decode Chip: prefill performance',
    '0.69',
    performance('spad-decode', 'prefill'),
    'As above.',
  ),
  predicted(
    '001.f7.d.decode',
    'Table 3',
    'Decode Chip: decode performance',
    '0.97',
    performance('spad-decode', 'decode'),
    'As above.',
  ),
  predicted(
    '001.f7',
    'Figure 7',
    'combinations of the map that fit both chips',
    'drawn only',
    () => mapOf('spad-prefill').filter(({ fits }) => fits).length,
    'Of 126 in two phases; "predict --grid --against h100-sxm" prints them.',
    { unit: ' of 126' },
  ),
  predicted(
    '001.f7.short',
    'section 5.4',
    'Prefill Chip slower at or below',
    '256 tokens',
    () => chips.slowerUpTo(),
    'Of the counts tried: 16 to 2048, doubling and between.',
  ),
  predicted(
    '001.f7.long',
    'section 5.4',
    'Prefill Chip slower at or above',
    '12,288 tokens',
    () => chips.slowerFrom() ?? 'never up to 32,768',
    'The paper’s softmax goes through memory, S² numbers at a time; fused attention, as ours and every library’s, has no such limit.',
    { otherUnit: true },
  ),
  predicted(
    '001.f7.batch',
    'section 5.4',
    'Decode Chip slower by 5% at or above',
    '256 sequences',
    () => chips.slowerFromBatch() ?? Infinity,
    'With 128 tokens each; memory holds fewer.',
  ),
  predicted(
    '001.f11',
    'Figure 11',
    'Prefill Chip’s prefill, 8 and 16 chips',
    'drawn only',
    () => {
      const [eight, sixteen] = [8, 16].map((chips) => {
        const [ours, theirs] = ['spad-prefill', 'h100-sxm'].map((id) =>
          predictorOf('bloom-176b', id, { tensorParallel: chips }).prefillSeconds(TOKENS, PREFILL_BATCH),
        );
        return theirs / ours;
      });
      return `${eight.toFixed(2)}, ${sixteen.toFixed(2)}`;
    },
    'Over as many H100s: the paper says that it hardly depends on the number of chips.',
    { otherUnit: true },
  ),
  predicted(
    '001.f15.short',
    'Figure 15',
    'what binds a prefill of 64 tokens',
    'memory',
    () => {
      return pinch('bandwidth', shortPrompt) > pinch('compute', shortPrompt) ? 'memory' : 'compute';
    },
    'A tenth less bandwidth costs more than a tenth less compute.',
  ),
  predicted(
    '001.f15.batch',
    'Figure 15',
    'what a large batch shifts decode towards',
    'compute',
    () => {
      const few = (predictor: Predictor) => predictor.decodeStepSeconds(128, 1);
      return pinch('compute', longBatch) > pinch('compute', few) ? 'compute' : 'memory';
    },
    'A tenth less compute costs more at batch 256 than at batch 1.',
  ),
  beyond(
    '001.t7.power',
    'section 7.2',
    'TDP as a measure of energy',
    'not printed',
    'TDP is what is provisioned; what is drawn depends on load, which "predict cost --per-token" takes as watts.',
  ),
];
