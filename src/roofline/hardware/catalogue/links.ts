import type { MeasuredAllReduce, MeasuredAllReduces } from '../collectives.js';
import type { Link } from '../hardware.js';

/** Latency of a hop in a ring, from LLMCompass's model of A100 machines (reproduced there from measurements). */
const HOP_SECONDS = 8.92e-6;
/** A hop through host memory or a PCIe switch; an assumption. */
const PCIE_HOP_SECONDS = 15e-6;

/** Microseconds of messages of 4, 8, 16, 32 and 64 MiB, behind those of the smallest. */
function measured(latency: number, ...micros: [number, number, number, number, number]): MeasuredAllReduce {
  return {
    latencySeconds: latency * 1e-6,
    points: micros.map((each, i) => [2 ** (22 + i), each * 1e-6] as const),
  };
}

const SIZES = 'Vidur’s all-reduces of 4 to 64 MiB on DGX machines (microsoft/vidur, MIT), medians around each size';

/**
 * Small messages: the fastest there of up to 64 KiB, which hold Python’s launch and so are upper bounds. The file mixes
 * two machines, one of them without NVLink between all chips; these are of the other.
 */
const A100_ALL_REDUCE: MeasuredAllReduces = [
  [2, measured(10, 65, 94, 137, 247, 416)],
  [4, measured(16, 87, 131, 199, 320, 580)],
  [8, measured(25, 99, 154, 258, 411, 654)],
];

/**
 * Small messages: fitted to decode steps of TensorRT-LLM and vLLM, whose kernels for them are not NCCL’s, together with
 * what those engines' hosts add (every other one of 222 measurements of Llama-3.1 8B and 70B; ai-dynamo/aiconfigurator,
 * Apache-2.0).
 */
const H100_ALL_REDUCE: MeasuredAllReduces = [
  [2, measured(12, 42, 46, 72, 136, 236)],
  [4, measured(15, 51, 62, 90, 168, 301)],
  [8, measured(16, 53, 78, 112, 202, 338)],
];

/** @param total bytes a second of both directions, as vendors count */
const chipLink = (name: string, total: number): Link => ({
  name,
  bytesPerSecond: total / 2,
  latencySeconds: HOP_SECONDS,
});

/** Those of H100s with the time beyond the latency scaled by the link’s rate. */
function like(measuredOnes: MeasuredAllReduces, faster: number): MeasuredAllReduces {
  return measuredOnes.map(([chips, { latencySeconds, points }]) => [
    chips,
    {
      latencySeconds,
      points: points.map(([bytes, seconds]) => [bytes, latencySeconds + (seconds - latencySeconds) / faster] as const),
    },
  ]);
}

const NVLINK_4: Link = {
  ...chipLink('NVLink 4', 900e9),
  allReduce: H100_ALL_REDUCE,
  allReduceSource: `${SIZES}; small ones fitted to decode steps (ai-dynamo/aiconfigurator, Apache-2.0)`,
};

/** A link of another kind whose all-reduces nobody measured: those of NVLink 4 at its rate. */
export const unmeasured = (name: string, total: number): Link => ({
  ...chipLink(name, total),
  allReduce: like(H100_ALL_REDUCE, total / 900e9),
  allReduceSource: 'not measured: as NVLink 4, in proportion to the rate',
});

export const LINKS = {
  nvlink2: unmeasured('NVLink 2', 300e9),
  nvlink3: { ...chipLink('NVLink 3', 600e9), allReduce: A100_ALL_REDUCE, allReduceSource: SIZES },
  nvlink4: NVLINK_4,
  nvlink5: unmeasured('NVLink 5', 1800e9),
  nvlinkClass: { ...NVLINK_4, name: 'NVLink class' },
  infinityFabric: unmeasured('Infinity Fabric', 896e9),
} as const satisfies Record<string, Link>;

export const pcie = (generation: 3 | 4 | 5): Link => ({
  name: `PCIe ${generation}.0 x16`,
  bytesPerSecond: { 3: 16, 4: 32, 5: 64 }[generation] * 1e9,
  latencySeconds: PCIE_HOP_SECONDS,
});
