import type { SubgroupMatrixConfig } from '../../src/gpu/capabilities.js';

/** Subgroup matrices of NVIDIA's that WebGPU offers, all in subgroups of 32. */
export const NVIDIA_MATRICES: readonly SubgroupMatrixConfig[] = (
  [
    ['f16', 'f32', ['16x16x16', '16x8x16', '16x8x8']],
    ['f16', 'f16', ['16x16x16', '16x8x16', '16x8x8']],
    ['i8', 'i32', ['16x16x32', '16x8x32']],
    ['u8', 'u32', ['16x16x32', '16x8x32']],
  ] as const
).flatMap(([componentType, resultComponentType, shapes]) =>
  shapes.map((shape) => {
    const [M, N, K] = shape.split('x').map(Number);
    return { componentType, resultComponentType, M, N, K };
  }),
);
