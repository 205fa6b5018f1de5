import { Gpu } from '../../src/gpu/gpu.js';
import { isSwiftShader } from '../../src/platform/node/adapter-choice.js';
import { listAdapters, openAdapter, type OpenedAdapter } from '../../src/platform/node/dawn.js';

/** The short names of the two software drivers; a GPU goes by its full one. */
function label(name: string): string {
  if (isSwiftShader(name)) return 'swiftshader';
  return /llvmpipe/i.test(name) ? 'lavapipe' : name;
}

async function discover(): Promise<string[]> {
  const found = [...new Set((await listAdapters()).map(({ name }) => label(name)))];
  const wanted = process.env.RIDGEPOINT_TEST_ADAPTERS?.split(',').map((part) => part.trim().toLowerCase());
  const chosen = wanted
    ? found.filter((name) => wanted.some((part) => part !== '' && name.toLowerCase().includes(part)))
    : found;
  if (chosen.length === 0) {
    const filter = wanted ? `RIDGEPOINT_TEST_ADAPTERS=${wanted.join(',')} leaves none` : 'none';
    throw new Error(`no adapter to test on: found ${found.join(', ') || 'none'}; ${filter}`);
  }
  return chosen;
}

/**
 * The adapters of this machine, for `describe.each(adapters)`: a GPU if there is one, `lavapipe` if installed,
 * `swiftshader` on every x64 Linux. `RIDGEPOINT_TEST_ADAPTERS=lavapipe,swiftshader` narrows them down.
 */
export const adapters: readonly string[] = await discover();

/** Opens an adapter anew: an adapter gives one device only. Costs about 10 ms. */
export function openTestAdapter(name: string): Promise<OpenedAdapter> {
  return openAdapter({ adapter: name });
}

const opened = new Map<string, Promise<Gpu>>();

/**
 * The device of an adapter, one for all tests of a file, so that they share its pipelines. Do not dispose it: it ends
 * with the test file's process.
 */
export function testGpu(name: string): Promise<Gpu> {
  let gpu = opened.get(name);
  if (!gpu) opened.set(name, (gpu = openTestAdapter(name).then((adapter) => Gpu.open(adapter))));
  return gpu;
}
