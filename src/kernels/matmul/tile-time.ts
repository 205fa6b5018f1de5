/** What decides how long a product of many rows takes in tiles. */
export interface MatmulTile {
  /** Rows of x and outputs that a workgroup makes. */
  readonly m: number;
  readonly n: number;
  /** Columns that are staged at once, and in how many stages of workgroup memory. */
  readonly k: number;
  readonly stages: number;
  readonly threads: number;
  /** Of workgroup memory. */
  readonly bytes: number;
  /** Sums that a lane holds. */
  readonly sums: number;
}

/**
 * The GPU that tiles are chosen for where nothing was measured: WebGPU does not tell how large one is, and on a smaller
 * one the choice costs less, since its multiprocessors are full sooner. Rates of one multiprocessor of an H100: f16
 * matrices that warps multiply for themselves, the most it takes from the second-level cache, and its share of that.
 */
const LARGE_GPU = {
  multiprocessors: 132,
  flopsPerSecond: 613e12 / 132,
  portBytesPerSecond: 112e9,
  cacheBytesPerSecond: 5.5e12 / 132,
  /** From asking memory under load to having it; a barrier. */
  latencySeconds: 650e-9,
  barrierSeconds: 30e-9,
  workgroupBytes: 227 << 10,
  registers: 65536,
  threads: 2048,
};
/** Registers of a thread besides sums and what is on its way. */
const OTHER_REGISTERS = 40;

/** Workgroups that a multiprocessor has at a time. */
function resident({ m, n, k, threads, bytes, sums }: MatmulTile): number {
  const onTheirWay = ((m + n) * k * 2) / 4 / threads;
  const byRegisters = LARGE_GPU.registers / (threads * Math.min(255, OTHER_REGISTERS + sums + onTheirWay));
  const byMemory = LARGE_GPU.workgroupBytes / (bytes + 1024);
  return Math.max(1, Math.floor(Math.min(byRegisters, byMemory, LARGE_GPU.threads / threads)));
}

/**
 * Seconds of a product of f16 on a large GPU: its waves of workgroups, each of which takes a step for every `k` columns.
 * A step takes what its products take, what its operands take from the second-level cache, or, of few workgroups, the
 * delay of memory, since the numbers of one step are on their way while the last is multiplied.
 *
 * @param rows of x
 */
export function tileSeconds(tile: MatmulTile, rows: number, outputs: number, columns: number): number {
  const gpu = LARGE_GPU;
  const { m, n, k, stages } = tile;
  const workgroups = Math.ceil(rows / m) * Math.ceil(outputs / n);
  const together = Math.min(resident(tile), Math.ceil(workgroups / gpu.multiprocessors));
  const waves = Math.ceil(workgroups / (together * gpu.multiprocessors));
  const busy = Math.min(workgroups, gpu.multiprocessors);
  const share = Math.min(gpu.portBytesPerSecond, (gpu.cacheBytesPerSecond * gpu.multiprocessors) / busy);
  const step = Math.max(
    gpu.latencySeconds + gpu.barrierSeconds * (stages === 2 ? 1 : 2),
    (together * 2 * m * n * k) / gpu.flopsPerSecond,
    (together * (m + n) * k * 2) / share,
  );
  return waves * step * Math.ceil(columns / k);
}
