import { masked, masksFeature, type Mask } from './masks.js';

/** One shape and type of hardware matrix multiply, as the adapter lists it. */
export interface SubgroupMatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/**
 * All that the engine asks of an adapter, read once. Kernels choose among their variants by this value and nothing
 * else, so that a choice can be shown, tested and reproduced.
 */
export interface Capabilities {
  readonly f16: boolean;
  readonly subgroups: boolean;
  /** The `subgroup_id` builtin may be used. */
  readonly subgroupId: boolean;
  /** Invocations per subgroup; 0 where subgroups are absent. */
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
  readonly subgroupSizeControl: boolean;
  readonly subgroupMatrixConfigs: readonly SubgroupMatrixConfig[];
  readonly timestamps: boolean;
  /** Bytes of immediate data a pass may set; 0 where absent. */
  readonly immediateBytes: number;
  readonly packedDot: boolean;
  /** A driver that runs shaders on the CPU: barriers are dear and uniform loads cheap there. */
  readonly isCpu: boolean;
  readonly maxBindingBytes: number;
  readonly maxBufferBytes: number;
  readonly maxWorkgroupBytes: number;
  readonly maxInvocations: number;
  readonly maxStorageBuffers: number;
  readonly maxWorkgroupsPerDimension: number;
  readonly offsetAlignment: number;
  /** Words for what the adapter has and the engine shall not use; the other fields are without it already. */
  readonly disabled: readonly Mask[];
  /** Kernels, by shader or pipeline, that this driver does not survive or computes wrongly. */
  readonly excluded: readonly string[];
}

type DawnAdapterInfo = GPUAdapterInfo & {
  subgroupMatrixConfigs?: readonly SubgroupMatrixConfig[];
  isFallbackAdapter?: boolean;
};

const SUBGROUP_MATRIX = 'chromium-experimental-subgroup-matrix';

/** Driver names that run on the CPU although the adapter does not say so. */
const CPU_DRIVERS = /llvmpipe|swiftshader|lavapipe|software|basic render/i;

/** What is not to be used of an adapter. */
export interface Withheld {
  readonly disabled?: readonly Mask[];
  readonly excluded?: readonly string[];
}

/**
 * The one place where capabilities are made.
 *
 * @param languageFeatures `navigator.gpu.wgslLanguageFeatures`, or Dawn's equivalent
 */
export function readCapabilities(
  adapter: GPUAdapter,
  languageFeatures: ReadonlySet<string>,
  { disabled = [], excluded = [] }: Withheld = {},
): Capabilities {
  const info = adapter.info as DawnAdapterInfo;
  const { limits } = adapter;
  const subgroups = adapter.features.has('subgroups');
  const features = adapter.features as ReadonlySet<string>;
  const all: Capabilities = {
    f16: features.has('shader-f16'),
    subgroups,
    subgroupId: subgroups && languageFeatures.has('subgroup_id'),
    subgroupMinSize: subgroups ? (info.subgroupMinSize ?? 4) : 0,
    subgroupMaxSize: subgroups ? (info.subgroupMaxSize ?? 128) : 0,
    subgroupSizeControl: features.has('subgroup-size-control'),
    subgroupMatrixConfigs: features.has(SUBGROUP_MATRIX)
      ? [...(info.subgroupMatrixConfigs ?? [])].map(({ componentType, resultComponentType, M, N, K }) => ({
          componentType,
          resultComponentType,
          M,
          N,
          K,
        }))
      : [],
    timestamps: features.has('timestamp-query'),
    immediateBytes: languageFeatures.has('immediate_address_space')
      ? ((limits as unknown as { maxImmediateSize?: number }).maxImmediateSize ?? 0)
      : 0,
    packedDot: languageFeatures.has('packed_4x8_integer_dot_product'),
    isCpu:
      info.isFallbackAdapter === true || CPU_DRIVERS.test(`${info.architecture} ${info.device} ${info.description}`),
    maxBindingBytes: limits.maxStorageBufferBindingSize,
    maxBufferBytes: limits.maxBufferSize,
    maxWorkgroupBytes: limits.maxComputeWorkgroupStorageSize,
    maxInvocations: limits.maxComputeInvocationsPerWorkgroup,
    maxStorageBuffers: limits.maxStorageBuffersPerShaderStage,
    maxWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    offsetAlignment: Math.max(limits.minStorageBufferOffsetAlignment, limits.minUniformBufferOffsetAlignment),
    disabled: [],
    excluded,
  };
  return masked(all, disabled);
}

/** The name of the best kernels an adapter can run: `portable`, `subgroups`, `f16`, `f16+subgroups`, `tensor`. */
export function tierOf(capabilities: Capabilities): string {
  if (capabilities.subgroupMatrixConfigs.length > 0 && capabilities.f16) return 'tensor';
  if (capabilities.f16) return capabilities.subgroups ? 'f16+subgroups' : 'f16';
  return capabilities.subgroups ? 'subgroups' : 'portable';
}

/** What is withheld, for a record: a field only where there is something. */
export function withheldIn({ disabled, excluded }: Required<Withheld>): { disabled?: string[]; excluded?: string[] } {
  return {
    ...(disabled.length === 0 ? {} : { disabled: [...disabled] }),
    ...(excluded.length === 0 ? {} : { excluded: [...excluded] }),
  };
}

/** The optional device features the engine uses, of those this adapter has and nobody masked. */
export function wantedFeatures(adapter: GPUAdapter, { disabled = [] }: Withheld = {}): GPUFeatureName[] {
  const wanted = ['shader-f16', 'subgroups', 'subgroup-size-control', 'timestamp-query', SUBGROUP_MATRIX];
  const features = adapter.features as ReadonlySet<string>;
  return wanted.filter((name) => features.has(name) && !masksFeature(disabled, name)) as GPUFeatureName[];
}

/** The limits the engine asks for: all the adapter has of those that bound a model's size or a kernel's tile. */
export function wantedLimits(adapter: GPUAdapter): Record<string, number> {
  const { limits } = adapter;
  return {
    maxBufferSize: limits.maxBufferSize,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
    maxStorageBuffersPerShaderStage: Math.min(limits.maxStorageBuffersPerShaderStage, 16),
    minStorageBufferOffsetAlignment: limits.minStorageBufferOffsetAlignment,
    minUniformBufferOffsetAlignment: limits.minUniformBufferOffsetAlignment,
  };
}
