import type { SubgroupMatrixConfig } from '../../src/gpu/capabilities.js';
import { Gpu } from '../../src/gpu/gpu.js';
import type { OpenedAdapter } from '../../src/platform/node/dawn.js';
import { adapters, openTestAdapter } from './adapters.js';
import { emulateLanes } from './emulated-lanes.js';
import { emulateMatrices } from './emulated-matrices.js';
import { NVIDIA_MATRICES } from './nvidia-matrices.js';

const LANES = 32;

/**
 * Adapters that can compute what NVIDIA's matrices would: those with f16 and subgroups. One that has matrices itself is
 * tested on those, and emulation, which takes drivers minutes to compile, on another.
 */
export async function emulatingAdapters(): Promise<string[]> {
  const able: string[] = [];
  for (const name of adapters) {
    const { adapter } = await openTestAdapter(name);
    const has = (feature: string): boolean => adapter.features.has(feature);
    if (has('shader-f16') && has('subgroups') && !has('chromium-experimental-subgroup-matrix')) able.push(name);
  }
  return able;
}

/**
 * A device of an adapter whose capabilities are an NVIDIA GPU's and whose matrices are emulated: kernels choose and
 * index as they would there. What needs real subgroups of 32 is left out: `subgroup_id` and a fixed size of subgroups.
 *
 * @param matrices what it offers, NVIDIA's by default
 * @param workgroupBytes its workgroup memory, as far as the adapter has it
 */
export async function emulatedGpu(name: string, matrices = NVIDIA_MATRICES, workgroupBytes = 48 * 1024): Promise<Gpu> {
  const opened = await openTestAdapter(name);
  const languageFeatures = new Set([...opened.languageFeatures].filter((feature) => feature !== 'subgroup_id'));
  return pretended({ ...opened, languageFeatures }, matrices, workgroupBytes, emulateMatrices);
}

/** A device of an adapter whose subgroups are of 32 lanes, emulated as `emulateLanes` can, without matrices. */
export async function gpuOf32Lanes(name: string): Promise<Gpu> {
  return pretended(await openTestAdapter(name), [], 48 * 1024, emulateLanes);
}

function pretended(
  opened: OpenedAdapter,
  matrices: readonly SubgroupMatrixConfig[],
  workgroupBytes: number,
  emulate: (shader: string, lanes: number) => string,
): Promise<Gpu> {
  const real = opened.adapter;
  const adapter = {
    features: new Set([...real.features, ...(matrices.length > 0 ? ['chromium-experimental-subgroup-matrix'] : [])]),
    limits: new Proxy(real.limits, {
      get: (limits, key) =>
        ({ maxComputeWorkgroupStorageSize: Math.min(workgroupBytes, limits.maxComputeWorkgroupStorageSize) })[
          key as string
        ] ?? (Reflect.get(limits, key, limits) as unknown),
    }),
    info: {
      device: 'pretended',
      description: 'NVIDIA: what it has is emulated',
      subgroupMinSize: LANES,
      subgroupMaxSize: LANES,
      subgroupMatrixConfigs: matrices,
      isFallbackAdapter: false,
    },
    requestDevice: async (descriptor: GPUDeviceDescriptor): Promise<GPUDevice> => {
      const requiredFeatures = [...(descriptor.requiredFeatures ?? [])].filter((feature) => real.features.has(feature));
      const device = await real.requestDevice({ ...descriptor, requiredFeatures });
      const create = device.createShaderModule.bind(device);
      device.createShaderModule = (module) => create({ ...module, code: emulate(module.code, LANES) });
      return device;
    },
  };
  return Gpu.open({ ...opened, adapter: adapter as unknown as GPUAdapter });
}
