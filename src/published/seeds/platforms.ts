import { overtake } from '../../roofline/questions/overtake.js';
import { splitRequest, type Network } from '../../roofline/questions/split.js';
import type { SeedFigure } from './figure.js';
import { figuresOf } from './short-forms.js';
import { predictorOf } from './subjects.js';

const { beyond, predicted } = figuresOf('000');

/** GroqRack at ALCF: 9 nodes of 8 chips, 230 MB of SRAM each; Llama-2-7B in fp16. */
const CHIP_BYTES = 230e6;
const RACK_BYTES = 72 * CHIP_BYTES;
const LLAMA_2_7B_BYTES = 2 * 6.738e9;
const KV_TOKEN_BYTES = 2 * 32 * 4096 * 2;

const DRAWN = 'Only the figure’s caption is in our copy; there is no number to compare with.';

export type Platform = 'a100-80' | 'groqrack';
const on = (platform: Platform) => predictorOf('llama-2-7b', platform);
const LENGTHS = [256, 512, 1024, 2048] as const;
const BATCHES = [1, 2, 4, 8, 16, 32] as const;

/** Bytes a second of a network of so many gigabits. */
const network = (gigabits: number): Network => ({ bytesPerSecond: (gigabits * 1e9) / 8, latencySeconds: 0 });

/** Milliseconds of a request whose phases run where they are said to. */
export function request(
  prefill: Platform,
  decode: Platform,
  promptTokens: number,
  outputTokens: number,
  gigabits: number,
) {
  const link = prefill === decode ? undefined : network(gigabits);
  return splitRequest(on(prefill), on(decode), { promptTokens, outputTokens }, link);
}

/** By time for each prompt: one after the other on GroqRack, up to 32 at once on the GPU. */
export function prefillLeader(): string {
  const ahead = LENGTHS.every((tokens) => {
    const groq = on('groqrack').prefillSeconds(tokens);
    return BATCHES.every((batch) => on('a100-80').prefillSeconds(tokens, batch) / batch < groq);
  });
  return ahead ? 'GPU' : 'GroqRack';
}

export function tpotLeader(): string {
  const ahead = LENGTHS.every(
    (tokens) => on('groqrack').decodeStepSeconds(tokens) < on('a100-80').decodeStepSeconds(tokens),
  );
  return ahead ? 'GroqRack' : 'GPU';
}

export const crossing = () => overtake([on('groqrack'), on('a100-80')], 1024, 64).batch;

/** How much sooner a request is done on both platforms than on the better one alone; below 1 it is later. */
export function splitGain(promptTokens: number, outputTokens: number, gigabits: number): number {
  const alone = (['a100-80', 'groqrack'] as const).map(
    (platform) => request(platform, platform, promptTokens, outputTokens, gigabits).e2eSeconds,
  );
  return Math.min(...alone) / request('a100-80', 'groqrack', promptTokens, outputTokens, gigabits).e2eSeconds;
}

/** Whether splitting gains for some lengths and networks and loses for others. */
export function gains(): string {
  const all = [128, 2048].flatMap((prompt) =>
    [16, 512].flatMap((output) => [8, 800].map((gigabits) => splitGain(prompt, output, gigabits) > 1)),
  );
  if (all.every((gain) => gain)) return 'always';
  return all.some((gain) => gain) ? 'under some conditions' : 'never';
}

export const FIGURE_4 = [
  ['A100 alone', 'a100-80', 'a100-80'],
  ['GroqRack alone', 'groqrack', 'groqrack'],
  ['A100, then GroqRack', 'a100-80', 'groqrack'],
  ['GroqRack, then A100', 'groqrack', 'a100-80'],
] as const;

const parts = (prefill: Platform, decode: Platform) => {
  const { prefillSeconds, transferSeconds, decodeSeconds } = request(prefill, decode, 1024, 128, 100);
  return [prefillSeconds, transferSeconds, decodeSeconds].map((part) => (1e3 * part).toFixed(0)).join(' + ') + ' ms';
};

const ASSUMED =
  'Ours: Llama-2-7B in fp16, 1024 tokens in and 128 out, 100 Gb/s between them, where the page names nothing.';

export const PLATFORM_FIGURES: readonly SeedFigure[] = [
  beyond(
    'W19.1',
    'throughout',
    'values, network conditions, error bars',
    'claimed, not printed',
    'The page holds the abstract and the captions: the four directions below, no value to test. Batch sizes are in two ' +
      'captions, hardware other than A100 and GroqRack nowhere.',
  ),
  predicted(
    '000.prefill',
    'abstract',
    'who leads in prefill',
    'GPU',
    prefillLeader,
    'An A100 at every batch of Figure 2, by time for each of its prompts of 256 to 2048 tokens. Of 128 tokens alone they ' +
      'take the same time, and of fewer GroqRack is ahead; how far it computes is assumed.',
  ),
  predicted(
    '000.tpot',
    'abstract',
    'who leads in TPOT at batch 1',
    'GroqRack',
    tpotLeader,
    'At 256 to 2048 tokens of context.',
  ),
  predicted(
    '000.throughput',
    'abstract',
    'who leads in throughput as batches grow',
    'GPU',
    () => (crossing() === undefined ? 'GroqRack' : 'GPU'),
    'GroqRack stays at one sequence.',
  ),
  predicted(
    '000.crossing',
    'abstract',
    'batch from which A100 leads, 1024 tokens',
    'not printed',
    () => crossing() ?? 'never',
    '"predict crossover --batch groqrack a100-80" for other lengths.',
  ),
  predicted(
    '000.split',
    'abstract',
    'when splitting phases gains',
    'under some conditions',
    gains,
    'Prefill on the A100, decode on GroqRack, against the better of them alone: 128 and 2048 tokens in, 16 and 512 out, ' +
      '8 and 800 Gb/s.',
  ),
  ...(
    [
      [1024, 128, 8],
      [1024, 128, 100],
      [1024, 128, 800],
      [2048, 16, 100],
      [128, 512, 100],
    ] as const
  ).map(([prompt, output, gigabits]) =>
    predicted(
      `000.gain.${prompt}.${output}.${gigabits}`,
      'abstract',
      `gain: ${prompt} in, ${output} out, ${gigabits} Gb/s`,
      'not printed',
      () => splitGain(prompt, output, gigabits),
      'Time on the better platform alone over time on both.',
      { unit: 'x' },
    ),
  ),
  beyond('000.f1', 'Figure 1', 'all prompt tokens at once in prefill', 'drawn only', 'A diagram, not a measurement.'),
  beyond('000.f2', 'Figure 2', 'prefill, A100 batch 1 to 32', 'drawn only', DRAWN),
  beyond('000.f3', 'Figure 3', 'decode, A100 batch 1 to 32', 'drawn only', DRAWN),
  ...FIGURE_4.map(([name, prefill, decode], at) =>
    predicted(
      `000.f4.${at}`,
      'Figure 4',
      `request latency, ${name}`,
      'drawn only',
      () => 1e3 * request(prefill, decode, 1024, 128, 100).e2eSeconds,
      ASSUMED,
      { unit: ' ms' },
    ),
  ),
  ...FIGURE_4.map(([name, prefill, decode], at) =>
    predicted(
      `000.f5.${at}`,
      'Figure 5',
      `prefill, transfer, decode: ${name}`,
      'drawn only',
      () => parts(prefill, decode),
      ASSUMED,
      { otherUnit: true },
    ),
  ),
  beyond(
    '000.groq.chips',
    'abstract',
    'chips for the weights, of 72',
    'no batching',
    'Why it stays at batch 1: Llama-2-7B in fp16 lives in SRAM of 230 MB a chip.',
    () => Math.ceil(LLAMA_2_7B_BYTES / CHIP_BYTES),
    ' chips',
  ),
  beyond(
    '000.groq.tokens',
    'abstract',
    'KV tokens beside them',
    'no batching',
    'One long sequence, or two of 2048 tokens.',
    () => Math.floor((RACK_BYTES - LLAMA_2_7B_BYTES) / KV_TOKEN_BYTES),
    ' tokens',
  ),
];
