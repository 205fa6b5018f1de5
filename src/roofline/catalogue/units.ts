export const GIB = 2 ** 30;

/** Latency of a hop in a ring, from LLMCompass's model of A100 machines (reproduced there from measurements). */
const HOP_SECONDS = 8.92e-6;
/** A hop through host memory or a PCIe switch; an assumption. */
const PCIE_HOP_SECONDS = 15e-6;

/** NVLink and its like; `total` counts both directions, as vendors do. */
export const chipLink = (name: string, total: number) => ({
  name,
  bytesPerSecond: total / 2,
  latencySeconds: HOP_SECONDS,
});

export const pcie = (generation: 3 | 4 | 5) => ({
  name: `PCIe ${generation}.0 x16`,
  bytesPerSecond: { 3: 16, 4: 32, 5: 64 }[generation] * 1e9,
  latencySeconds: PCIE_HOP_SECONDS,
});
