import type { Capabilities, SubgroupMatrixConfig } from '../gpu/capabilities.js';

/**
 * Turns of a loop that is left when its work is done. Dawn puts a counter of its own into a loop unless it counts by one
 * to a constant, and no driver sees through that.
 */
export const MOST_TURNS = 0x7fffffff;

/** What `common/matrix.wgsl` needs to declare the types of a configuration. */
export function matrixDefines(config: SubgroupMatrixConfig): Record<string, number | boolean> {
  const { componentType, resultComponentType, M, N, K } = config;
  const components = ['f16', 'f32', 'i8', 'u8'].map((type) => [`component_${type}`, componentType === type] as const);
  const results = ['f16', 'f32', 'i32', 'u32'].map((type) => [`result_${type}`, resultComponentType === type] as const);
  return {
    // `component_f16`, `result_f32`: the types of operands and of sums.
    ...Object.fromEntries([...components, ...results]),
    // f16 is somewhere in it, and must be enabled.
    half: componentType === 'f16' || resultComponentType === 'f16',
    // A row of an operand is half of 16 bytes.
    short_rows: hasShortRows(config),
    // Rows of a matrix of sums.
    MATRIX_M: M,
    // Its columns.
    MATRIX_N: N,
    // Products that one instruction adds to each sum.
    MATRIX_K: K,
  };
}

/** Whether a row of an operand is half of 16 bytes. */
export function hasShortRows({ componentType, K }: SubgroupMatrixConfig): boolean {
  return (componentType === 'i8' || componentType === 'u8') && K < 16;
}

/** Larger matrices take fewer instructions and loads for the same product. */
const size = ({ M, N, K }: SubgroupMatrixConfig): number => M * N * K;

/** The configurations of signed 8-bit operands and sums in i32, best first. */
export function byteConfigs({ subgroupMatrixConfigs }: Capabilities): SubgroupMatrixConfig[] {
  return subgroupMatrixConfigs
    .filter(({ componentType, resultComponentType }) => componentType === 'i8' && resultComponentType === 'i32')
    .sort((a, b) => size(b) - size(a));
}

/**
 * The configurations of f16 operands, best first: sums in f32 before sums in f16, larger matrices before
 * smaller ones.
 */
export function halfConfigs({ f16, subgroupMatrixConfigs }: Capabilities): SubgroupMatrixConfig[] {
  if (!f16) return [];
  const half = subgroupMatrixConfigs.filter(
    ({ componentType, resultComponentType }) =>
      componentType === 'f16' && (resultComponentType === 'f32' || resultComponentType === 'f16'),
  );
  return half.sort(
    (a, b) => Number(b.resultComponentType === 'f32') - Number(a.resultComponentType === 'f32') || size(b) - size(a),
  );
}

export interface MatrixLanes {
  /** Threads of the subgroups that hold a matrix together. */
  readonly lanes: number;
  /** Whether a shader must ask for subgroups of that size, because the driver would choose among several. */
  readonly pinned: boolean;
}

/**
 * The size of the subgroups that work on matrices, or undefined where it cannot be relied on. Of several sizes the
 * smallest is taken: drivers that offer a choice (Intel 8 or 16 to 32, AMD 32 or 64) build their matrices for it.
 */
export function matrixLanes(capabilities: Capabilities): MatrixLanes | undefined {
  const { subgroups, subgroupMinSize, subgroupMaxSize, subgroupSizeControl } = capabilities;
  if (!subgroups || subgroupMinSize === 0) return undefined;
  if (subgroupMinSize === subgroupMaxSize) return { lanes: subgroupMinSize, pinned: false };
  return subgroupSizeControl ? { lanes: subgroupMinSize, pinned: true } : undefined;
}

/** Whether a workgroup of so many threads and bytes that works on matrices is within an adapter's limits. */
export function matrixWorkgroupFits(capabilities: Capabilities, threads: number, bytes: number): boolean {
  return (
    threads <= capabilities.maxInvocations &&
    // Dawn's rule for shaders with subgroup matrices, whatever size is asked for.
    threads % capabilities.subgroupMaxSize === 0 &&
    bytes <= capabilities.maxWorkgroupBytes
  );
}
