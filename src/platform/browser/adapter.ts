import type { HostGpu } from '../../engine/host.js';
import { RidgepointError } from '../../errors.js';
import { option, words } from '../../wording.js';
import { promptDevice } from './completions.js';
import { browserName, isFirefox } from './runtime.js';

const POWER: readonly string[] = ['low-power', 'high-performance'] satisfies GPUPowerPreference[];

/** Why there is no WebGPU here, and what to do. */
function noWebGpu(): RidgepointError {
  const why = !globalThis.isSecureContext
    ? 'browsers give WebGPU to secure pages only; open this one by https, or as http://localhost'
    : isFirefox()
      ? `${browserName()} has WebGPU switched off here; set dom.webgpu.enabled to true in about:config, or use Chrome`
      : `${browserName()} has no WebGPU; use Chrome or Edge 113, Safari 26, Firefox 141 or newer`;
  return new RidgepointError('adapter', why);
}

function noAdapter(): RidgepointError {
  const where = isFirefox() ? 'about:support, under Graphics,' : 'chrome://gpu';
  return new RidgepointError(
    'adapter',
    `${browserName()} finds no GPU that it would use; see ${where} for why, update its driver, and restart the browser`,
  );
}

/** The adapter's name as far as the browser tells: mostly a vendor and an architecture, in Firefox nothing. */
function nameOf({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  const parts = [vendor, architecture, device, description].filter((part) => part !== '');
  return parts.length === 0 ? 'a GPU without a name' : [...new Set(parts)].join(' ');
}

/**
 * Opens the browser's adapter.
 *
 * @param wanted `low-power` or `high-performance`, which browsers choose by, or part of the adapter's name
 * @param gpuBytes what may be taken of its memory, which browsers do not tell; undefined for no limit
 * @throws RidgepointError ('adapter') where there is none
 */
export async function openBrowserGpu(wanted: string | undefined, gpuBytes?: number): Promise<HostGpu> {
  const { gpu } = navigator as { gpu?: GPU };
  if (gpu === undefined) throw noWebGpu();
  const powerPreference = (
    wanted !== undefined && POWER.includes(wanted) ? wanted : 'high-performance'
  ) as GPUPowerPreference;
  // A GPU process that has just been restarted may not answer the first time.
  const found = (await gpu.requestAdapter({ powerPreference })) ?? (await gpu.requestAdapter());
  if (found === null) throw noAdapter();
  const name = nameOf(found.info);
  if (wanted !== undefined && !POWER.includes(wanted) && !name.toLowerCase().includes(wanted.toLowerCase())) {
    const advice = words`in a browser ${option('adapter')} may be ${POWER.join(' or ')}`;
    throw new RidgepointError('adapter', words`no adapter has "${wanted}" in its name, there is ${name}; ${advice}`, {
      option: 'adapter',
    });
  }
  const { info, features, limits } = found;
  const requestDevice = async (descriptor?: GPUDeviceDescriptor): Promise<GPUDevice> =>
    promptDevice(await found.requestDevice(descriptor));
  return {
    adapter: { info, features, limits, requestDevice } as unknown as GPUAdapter,
    name,
    driver: browserName(),
    languageFeatures: gpu.wgslLanguageFeatures,
    freeMemory: () => Promise.resolve(gpuBytes === undefined ? undefined : { bytes: gpuBytes, by: 'gpuBytes' }),
  };
}
