import type { LargeMessages } from './collectives.js';
import { LLAMA_CPP_COSTS } from './llama-cpp.js';
import type { Efficiencies, Hardware, HardwareClass } from './hardware.js';

/** What an engine adds to the operations of a step as they were measured one by one. */
export interface EngineCosts {
  /** How much longer its kernels take than those that efficiencies were fitted to; prompts may differ from tokens. */
  readonly stretch: number;
  readonly promptStretch: number;
  /** How much longer matrix units take in prompts, whose clocks sink under a load that lasts; moving bytes does not. */
  readonly promptCompute: number;
  /**
   * Watts for each TFLOP/s of the matrix units' rate that would let them reach it in prompts; a card with fewer takes as
   * much longer. Where absent only `promptCompute` counts, else the larger of the two.
   */
  readonly promptWatts?: number;
  /** How much longer the whole step of a prompt takes, launches and messages included; 1 where absent. */
  readonly promptStep?: number;
  /**
   * How much more tokens move of keys and values that heads share in groups: kernels of a block for each query head read
   * them once for each head, which caches serve in part.
   */
  readonly groupedReads: number;
  /** What its kernels reach where they are other kernels than those of libraries. */
  readonly efficiencies?: Partial<Efficiencies>;
  /** Its matrix products are summed in f16, which GeForce cards do at twice the rate. */
  readonly halfSums?: boolean;
  /** FLOP/s that attention of tokens reaches at most, by plain instructions of a few warps, whatever a card is made of. */
  readonly decodeAttentionFlops?: number;
  /** Bytes a second that products of few rows stream at most. */
  readonly fewRowsBytes?: number;
  /**
   * Bytes that go through memory for each query, key and head of a prompt, where attention writes its scores out: the
   * product, the softmax over it and the product with values are kernels of their own.
   */
  readonly scoreBytes?: number;
  /** Most tokens of prompts in a step, where the caller says none. */
  readonly promptChunk?: number;
  /** Seconds a step takes beside its operations: scheduling, launching a recorded graph, sampling's way back. */
  readonly stepSeconds: number;
  /** Seconds that each doubling of the chips adds to a step: the processes that drive them are told what to do. */
  readonly stepDoubling: number;
  /** Seconds for each sequence that gets a token: sampling, detokenising and handing it out. */
  readonly rowSeconds: number;
  /** Seconds until a request's prompt is in its first step and its token out, beside `stepSeconds`. */
  readonly requestSeconds: number;
  /**
   * Seconds the host needs to launch one layer's kernels one by one; steps are bounded by it where they are not replayed
   * from a graph. Device and host overlap: t = (device^2 + host^2)^(1/2).
   */
  readonly layerSeconds: number;
  /** What each doubling of the chips adds to it, as a share: every all-reduce waits for the slowest of their processes. */
  readonly layerDoubling: number;
  /** All-reduces that take longer than the link's were measured to; absent where none is known to. */
  readonly largeMessages?: LargeMessages;
}

/**
 * The one process that takes requests and hands tokens out, beside the steps of the device: what it needs for each, and
 * whatever it is late with is shared out between the wait for a first token and the gaps between the others.
 */
export interface Front {
  readonly requestSeconds: number;
  readonly tokenSeconds: number;
  readonly ttftShare: number;
}

/** An engine, or one of its generations. */
export interface EngineProfile extends EngineCosts {
  readonly id: EngineId;
  readonly name: string;
  readonly front?: Front;
  /** Steps of others that run before the tokens of a step are handed out; under load only. None where absent. */
  readonly handOutSteps?: number;
  /** Costs that differ by the class of hardware. */
  readonly ofClass?: Readonly<Partial<Record<HardwareClass, Partial<EngineCosts>>>>;
  /** Costs that differ where they were measured on other machines, by hardware. */
  readonly on?: Readonly<Record<string, Partial<EngineCosts>>>;
  /** Where the costs are from. */
  readonly source: string;
}

export const ENGINE_IDS = [
  'trt-llm',
  'trt-llm-2024',
  'vllm',
  'vllm-2024',
  'llama.cpp',
  'pytorch-eager',
  'ridgepoint',
  'none',
] as const;
export type EngineId = (typeof ENGINE_IDS)[number];

const FREE: EngineCosts = {
  stretch: 1,
  promptStretch: 1,
  promptCompute: 1,
  groupedReads: 1,
  stepSeconds: 0,
  stepDoubling: 0,
  rowSeconds: 0,
  requestSeconds: 0,
  layerSeconds: 0,
  layerDoubling: 0,
};
const HALF = 'fitted to every other one of its measurements, rounded and in part set by hand with the rest in view,';
const AICONFIGURATOR = `${HALF} on H100 (ai-dynamo/aiconfigurator, Apache-2.0)`;
const BENCH_2024 = `${HALF} on H100 and A100 (argonne-lcf/LLM-Inference-Bench, BSD-3)`;
/** What kernels of 2024 made of other devices than H100, by the stretch of tokens and of prompts. */
const on = (...stretches: [ids: string, stretch: number, promptStretch: number][]) =>
  Object.fromEntries(
    stretches.flatMap(([ids, stretch, promptStretch]) => ids.split(' ').map((id) => [id, { stretch, promptStretch }])),
  );
/**
 * Up to 56 MiB all-reduces of splitwise-sim's machines keep to the link's curve within a tenth; those of 64 MiB to 1 GiB
 * among 4 and 8 chips, two models alike, take this much longer, and those of two chips do not.
 */
const largeMessages = (four: number, eight: number): LargeMessages => ({
  fromBytes: 60 * 2 ** 20,
  bytesPerSecond: [
    [2, Infinity],
    [4, four],
    [8, eight],
  ],
});
const HOPPER_EAGER = {
  layerSeconds: 0.265e-3,
  rowSeconds: 0.29e-3,
  promptCompute: 1.4,
  largeMessages: largeMessages(105e9, 65e9),
};

const PROFILES: readonly EngineProfile[] = [
  {
    ...FREE,
    id: 'trt-llm',
    name: 'TensorRT-LLM 1.0',
    stepSeconds: 0.15e-3,
    rowSeconds: 1.6e-6,
    front: { requestSeconds: 22.5e-3, tokenSeconds: 59e-6, ttftShare: 0.6 },
    source: AICONFIGURATOR,
  },
  {
    ...FREE,
    id: 'vllm',
    name: 'vLLM',
    stepSeconds: 1.1e-3,
    rowSeconds: 3.2e-6,
    requestSeconds: 9e-3,
    handOutSteps: 1,
    source: AICONFIGURATOR,
  },
  {
    ...FREE,
    id: 'trt-llm-2024',
    name: 'TensorRT-LLM of 2024',
    stretch: 1.11,
    promptStretch: 1.17,
    groupedReads: 1.5,
    stepSeconds: 0.42e-3,
    stepDoubling: 0.21e-3,
    rowSeconds: 8e-6,
    on: on(['a100-40 a100-80', 1.1, 0.88]),
    source: BENCH_2024,
  },
  {
    ...FREE,
    id: 'vllm-2024',
    name: 'vLLM of 2024',
    stretch: 1.04,
    promptStretch: 1.26,
    groupedReads: 1.5,
    stepSeconds: 1.56e-3,
    stepDoubling: 0.46e-3,
    rowSeconds: 51e-6,
    on: on(['a100-40 a100-80', 0.98, 0.95], ['gh200', 1.12, 1.1], ['mi250x', 1.08, 1.2], ['mi300x', 1.75, 8.5]),
    source: BENCH_2024,
  },
  {
    ...FREE,
    ...LLAMA_CPP_COSTS,
    id: 'llama.cpp',
    name: 'llama.cpp',
    source: `${HALF} on eight devices (XiongjieDai/GPU-Benchmarks-on-LLM-Inference: "ridgepoint ledger --fetch gpu-benchmarks")`,
  },
  {
    ...FREE,
    id: 'pytorch-eager',
    name: 'PyTorch without graphs',
    promptCompute: 1.08,
    rowSeconds: 0.4e-3,
    requestSeconds: 5e-3,
    layerSeconds: 0.36e-3,
    layerDoubling: 0.14,
    largeMessages: largeMessages(28e9, 24e9),
    // Every prompt of the capped machine is the other's times 1.3, the shortest too, and every token the same. The 0.76
    // takes back what the catalogue's row has of it.
    on: {
      'h100-sxm': HOPPER_EAGER,
      'h100-capped': { ...HOPPER_EAGER, promptCompute: 0.76 * HOPPER_EAGER.promptCompute, promptStep: 1.3 },
    },
    source: `${HALF} on A100 and H100, whose hosts differ (Mutinifni/splitwise-sim, MIT)`,
  },
  {
    ...FREE,
    id: 'ridgepoint',
    name: 'Ridgepoint',
    layerSeconds: 12.5e-6,
    source: 'five launches a layer of 2.5 us each, recorded on a core of its own (docs/performance.md)',
  },
  { ...FREE, id: 'none', name: 'none', source: 'operations and messages alone' },
];

export function engineById(id: EngineId): EngineProfile {
  return PROFILES.find((each) => each.id === id)!;
}

/** Costs of an engine beside a piece of hardware. */
export function costsOf(engine: EngineProfile, { id, class: family }: Hardware): EngineCosts {
  return { ...engine, ...(family && engine.ofClass?.[family]), ...engine.on?.[id] };
}

/**
 * Whose engine is meant where none is named: on a calibrated machine and on chips that run no common one none, on Apple
 * and other graphics chips of personal computers llama.cpp, on NVIDIA's for servers TensorRT-LLM, else vLLM.
 */
export function usualEngine({ kind, class: family }: Hardware): EngineId {
  if (kind === 'measured' || kind === 'sram' || kind === 'proposed') return 'none';
  if (kind === 'consumer' || kind === 'integrated') return 'llama.cpp';
  return family === 'nvidia' ? 'trt-llm' : 'vllm';
}
