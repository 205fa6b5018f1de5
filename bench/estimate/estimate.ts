import { tileSeconds, type MatmulTile } from '../../src/kernels/matmul/tile-time.js';
import type { Operation } from '../../src/model/operations.js';
import type { RecordedLaunch } from './record.js';

/** What an estimate takes a GPU for. */
export interface EstimatedGpu {
  readonly name: string;
  readonly multiprocessors: number;
  /** Bytes a second of memory, and of the second-level cache, that copies reach. */
  readonly bytesPerSecond: number;
  readonly cacheBytesPerSecond: number;
  /** FLOP/s of f16 matrices that warps multiply for themselves. */
  readonly flopsPerSecond: number;
  /** From asking memory to having it, under load. */
  readonly latencySeconds: number;
  /** A launch and the barrier before it. */
  readonly launchSeconds: number;
}

const HOPPER = {
  multiprocessors: 132,
  cacheBytesPerSecond: 5.5e12,
  // Of the 989e12 of the data sheet some 62 % without the instructions that read workgroup memory by themselves.
  flopsPerSecond: 613e12,
  latencySeconds: 650e-9,
  launchSeconds: 1.7e-6,
};
/** Nine tenths of the data sheets' 3.35 and 4.8 TB/s, as copies on such cards reach. */
export const ESTIMATED: readonly EstimatedGpu[] = [
  { ...HOPPER, name: 'H100', bytesPerSecond: 3.0e12 },
  { ...HOPPER, name: 'H200', bytesPerSecond: 4.3e12 },
];

const THREADS = 2048;
const REGISTERS = 65536;
/** Registers of a thread beside those that loads fill. */
const OTHER_REGISTERS = 40;
/** Waits for memory one after the other in attention of a token, beside the one for keys and values: table, parts out, parts in. */
const ATTENTION_WAITS = 3;
/** Share of the matrices' rate that attention of prompts is taken to reach, beside its softmax. */
const ATTENTION_SHARE = 0.4;

/** A kernel's name with its parameters, as the pipeline cache has it. */
export interface KernelName {
  readonly shader: string;
  readonly defines: ReadonlyMap<string, number | true>;
}

/** Takes apart `matmul_vec(MT=1,R=4,WG=64,subgroups)`. */
export function parsePipeline(name: string): KernelName {
  const open = name.indexOf('(');
  const parts = name.slice(open + 1, -1).split(',');
  const defines = parts
    .filter((part) => part !== '')
    .map((part): [string, number | true] => {
      const [key, value] = part.split('=');
      return [key, value === undefined ? true : Number(value)];
    });
  return { shader: name.slice(0, open), defines: new Map(defines) };
}

const numberOf = ({ defines }: KernelName, key: string, otherwise: number): number => {
  const value = defines.get(key);
  return typeof value === 'number' ? value : otherwise;
};

/** Bytes of weights or of keys and values that a thread asks for before it uses any; undefined where that is not known. */
export function bytesNamed(kernel: KernelName): number | undefined {
  switch (kernel.shader) {
    case 'matmul_vec':
      return 16 * numberOf(kernel, 'R', 1) * numberOf(kernel, 'STEPS', 1);
    case 'attention_rows':
      return 2 * 16 * numberOf(kernel, 'EACH', 1) * numberOf(kernel, 'EIGHTHS', 1);
    default:
      return undefined;
  }
}

/** The tile of a product of prompts on matrices, whose steps wait for memory; undefined of others. */
function tileOf(kernel: KernelName): MatmulTile | undefined {
  if (kernel.shader !== 'matmul_matrix') return undefined;
  const of = (key: string): number => numberOf(kernel, key, 1);
  return {
    ...{ m: of('TILE_M'), n: of('TILE_N'), k: 8 * numberOf(kernel, 'TILE_K8', 4), stages: of('STAGES') },
    ...{ threads: of('THREADS'), bytes: 16 * of('STAGED'), sums: (of('SUB_M') * of('SUB_N')) / of('LANES') },
  };
}

/** Bytes on their way to a multiprocessor at a time; undefined where that is not known. */
export function bytesInFlight(launch: RecordedLaunch, gpu: EstimatedGpu): number | undefined {
  const kernel = parsePipeline(launch.pipeline);
  const named = bytesNamed(kernel);
  if (named === undefined) return undefined;
  const group = numberOf(kernel, 'WG', numberOf(kernel, 'THREADS', 64));
  const threads = (group * launch.grid.reduce((product, each) => product * each, 1)) / gpu.multiprocessors;
  const resident = Math.min(THREADS, REGISTERS / (OTHER_REGISTERS + named / 4), threads);
  return resident * named;
}

/** Bytes that must be on their way to a multiprocessor for memory to be busy all the time (Little's law). */
export const bytesNeeded = (gpu: EstimatedGpu): number =>
  (gpu.bytesPerSecond * gpu.latencySeconds) / gpu.multiprocessors;

/** What a launch takes, and what binds it. Seconds. */
export interface Estimate {
  readonly seconds: number;
  /** The least: its weights, keys and values once through memory, or its products on the matrices. */
  readonly floor: number;
  readonly inFlight: number | undefined;
}

/** A launch that only joins what another of the same operation made. */
export const joining = (gpu: EstimatedGpu): Estimate => ({ seconds: gpu.launchSeconds, floor: 0, inFlight: undefined });

/**
 * Memory time by Little's law from the bytes that the kernel's threads have on their way; of products of prompts also
 * the tiles' traffic with the second-level cache, the last wave of workgroups that leaves multiprocessors idle, and the
 * steps of a tile, none of which is shorter than memory's delay.
 */
export function estimate(operation: Operation, launch: RecordedLaunch, gpu: EstimatedGpu): Estimate {
  const { weightBytes, kvReadBytes, kvWriteBytes, activationBytes, flops } = operation;
  const memory = weightBytes + kvReadBytes + kvWriteBytes;
  const floor = Math.max(memory / gpu.bytesPerSecond, flops / gpu.flopsPerSecond);
  const inFlight = bytesInFlight(launch, gpu);
  const reached = inFlight === undefined ? 1 : Math.min(1, inFlight / bytesNeeded(gpu));
  const kernel = parsePipeline(launch.pipeline);
  // Groups of rows read the weights again: their workgroups run one group after the other.
  const passes = kernel.shader === 'matmul_vec' ? launch.grid[1] : 1;
  const times = [(passes * memory) / (gpu.bytesPerSecond * reached), activationBytes / gpu.cacheBytesPerSecond];
  const [m, n] = [numberOf(kernel, 'TILE_M', 0), numberOf(kernel, 'TILE_N', 0)];
  if (m > 0 && n > 0) {
    const tiles = launch.grid.reduce((product, each) => product * each, 1);
    const waves = Math.ceil(tiles / gpu.multiprocessors) * gpu.multiprocessors;
    const xBytes = [...kernel.defines.keys()].some((key) => /half_rows|x_half|halves|stored_half/.test(key)) ? 2 : 4;
    times.push((flops / gpu.flopsPerSecond) * (waves / tiles));
    const tile = tileOf(kernel);
    if (tile !== undefined) times.push(tileSeconds(tile, launch.grid[1] * m, launch.grid[0] * n, operation.k));
    times.push((tiles * operation.k * (Math.min(m, operation.m) * xBytes + n * 2)) / gpu.cacheBytesPerSecond);
  } else if (operation.kind === 'attention' && operation.phase === 'prefill') {
    times.push(flops / (gpu.flopsPerSecond * ATTENTION_SHARE));
  }
  const waits = operation.kind === 'attention' && operation.phase === 'decode' ? ATTENTION_WAITS : 0;
  return { seconds: Math.max(...times) + waits * gpu.latencySeconds + gpu.launchSeconds, floor, inFlight };
}
