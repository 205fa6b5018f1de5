import type { Capabilities } from '../../../src/gpu/capabilities.js';
import { shaderName } from '../../../src/gpu/pipelines.js';
import { attentionVariants } from '../../../src/kernels/attention/kernel.js';
import { embedVariant } from '../../../src/kernels/embed/kernel.js';
import { matmulVariants } from '../../../src/kernels/matmul/kernel.js';
import { normVariants } from '../../../src/kernels/norm/kernel.js';
import { quantizeVariants } from '../../../src/kernels/quantize/kernel.js';
import { ropeVariant } from '../../../src/kernels/rope/kernel.js';
import { sampleVariants } from '../../../src/kernels/sample/kernel.js';
import { laneRows, type WeightLayout } from '../../../src/kernels/weights.js';
import type { Variant } from '../../../src/kernels/variant.js';
import { quantFormat } from '../../../src/quantization/formats.js';
import { NVIDIA_MATRICES } from '../nvidia-matrices.js';

/** `matmul/matmul_vec vec1x2`: a kernel's family, its shader and the variant's name. */
export function variantKey(variant: Pick<Variant, 'name' | 'shader'>): string {
  return `${variant.shader.split('/')[0]}/${shaderName(variant)} ${variant.name}`;
}

const GPU: Capabilities = {
  ...{ f16: true, subgroups: true, subgroupId: true, subgroupMinSize: 32, subgroupMaxSize: 32 },
  ...{ subgroupSizeControl: true, subgroupMatrixConfigs: [], timestamps: true, immediateBytes: 64, packedDot: true },
  ...{ isCpu: false, maxBindingBytes: 2 ** 31, maxBufferBytes: 2 ** 31, maxWorkgroupBytes: 48 * 1024 },
  ...{ maxInvocations: 1024, maxStorageBuffers: 16, maxWorkgroupsPerDimension: 65535, offsetAlignment: 256 },
  ...{ disabled: [], excluded: [] },
};

const matrix = (M: number, N: number, K: number) =>
  ({ componentType: 'f16', resultComponentType: 'f32', M, N, K }) as const;

/** Machines that between them choose among all that there is: what each can run at all is a kernel to be tested. */
const MACHINES: readonly Capabilities[] = [
  { ...GPU, subgroupMatrixConfigs: NVIDIA_MATRICES },
  { ...GPU, subgroupMatrixConfigs: [matrix(8, 8, 8)], maxWorkgroupBytes: 32 * 1024 },
  { ...GPU, subgroups: false, subgroupId: false, subgroupMinSize: 0, subgroupMaxSize: 0 },
  { ...GPU, isCpu: true, subgroupMinSize: 4, subgroupMaxSize: 4 },
  { ...GPU, isCpu: true, subgroupMinSize: 8, subgroupMaxSize: 8, subgroupMatrixConfigs: [matrix(8, 8, 8)] },
];

function variantsOn(capabilities: Capabilities): Variant[] {
  const lanes = [...new Set([1, laneRows(capabilities)])];
  const layouts = (['f32', 'bf16', 'f16', 'int4-g32', 'int8-g32'] as const).flatMap((dtype) =>
    lanes.map((each): WeightLayout => ({ dtype, lanes: each })),
  );
  const matmuls = layouts.flatMap((layout) => {
    const { decode, prefill } = matmulVariants(layout, capabilities, 'f32');
    const bytes = quantFormat(layout.dtype)?.bits === 8 ? matmulVariants(layout, capabilities, 'int8').prefill : [];
    return [...decode, ...prefill, ...bytes];
  });
  const shapes = [
    { heads: 4, kvHeads: 2, headDim: 64 },
    { heads: 32, kvHeads: 8, headDim: 128 },
  ];
  const attention = shapes.flatMap((shape) =>
    (['f32', 'f16', 'int8'] as const).flatMap((kv) => {
      const { prefill, decode } = attentionVariants(shape, kv, capabilities);
      return [...prefill, ...decode, ropeVariant(shape, kv, capabilities)];
    }),
  );
  const { full, greedy } = sampleVariants(capabilities);
  const rows = [true, false].flatMap((norm) => quantizeVariants(capabilities, quantFormat('int8-g32'), norm));
  const others = [embedVariant(layouts[0], capabilities), ...normVariants(capabilities), ...full, greedy, ...rows];
  return [...matmuls, ...attention, ...others].filter((variant) => variant.runs(capabilities));
}

/** The keys of all variants that some machine could run. */
export function allVariants(): Set<string> {
  return new Set(MACHINES.flatMap(variantsOn).map(variantKey));
}

/**
 * What the end of a run says of the kernels that were left out: a line for each family whose tests were run.
 *
 * @param all keys of the variants there are
 * @param ran of those that some adapter was given
 * @param families whose own tests were run
 */
export function unrunLines(
  all: ReadonlySet<string>,
  ran: ReadonlySet<string>,
  families: ReadonlySet<string>,
): string[] {
  return [...families].sort().flatMap((family) => {
    const own = [...all].filter((key) => key.startsWith(`${family}/`));
    const left = own.filter((key) => !ran.has(key)).map((key) => key.slice(key.indexOf(' ') + 1));
    if (own.length === 0) return [];
    if (left.length === 0) return [`${family}: all ${own.length} variants were run`];
    return [`${family}: no adapter ran ${left.length} of ${own.length} variants: ${left.sort().join(', ')}`];
  });
}
