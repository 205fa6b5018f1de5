import { RidgepointError } from '../../errors.js';
import { parseMasks, type Mask } from '../../gpu/masks.js';
import {
  byPreference,
  chooseAdapter,
  isCpuAdapter,
  isSwiftShader,
  noAdapter,
  noSuchAdapter,
  swiftShaderHint,
} from './adapter-choice.js';
import { paceDawn } from './pace.js';
import { quietly, whenFilesRest } from './quiet.js';
import { addSwiftShader, onlySwiftShader, prepareVulkan, swiftShaderAdded } from './vulkan.js';

export type AdapterSource = 'hardware' | 'system software' | 'SwiftShader from npm';

export interface OpenAdapterOptions {
  /** Part of the adapter's name, in any case; `lavapipe` also finds llvmpipe. The best adapter when absent. */
  readonly adapter?: string;
  /** Hide what the driver prints on standard error while it is opened; default true. */
  readonly quiet?: boolean;
  /**
   * Leave out Dawn's checks of calls, bounds and divisions and its clearing of workgroup memory: for measuring kernels
   * known to be right. A wrong one may then crash the process. Default false.
   */
  readonly unsafeFast?: boolean;
}

export interface OpenedAdapter {
  readonly gpu: GPU;
  /** Gives one device, once; open the adapter again for another. */
  readonly adapter: GPUAdapter;
  /** As Dawn lists it. */
  readonly name: string;
  /** Driver name and version as the driver states them. */
  readonly driver: string;
  readonly isCpu: boolean;
  readonly source: AdapterSource;
  /** WGSL language extensions. */
  readonly languageFeatures: ReadonlySet<string>;
  /** What the user masked with `RIDGEPOINT_DISABLE`. */
  readonly disabled: readonly Mask[];
  /** One line for the user, when nothing better than SwiftShader was found; absent when it was asked for by name. */
  readonly hint?: string;
}

export interface AdapterListing extends OpenedAdapter {
  /** The one taken when no name is given. */
  readonly isDefault: boolean;
}

interface Dawn {
  create(flags: string[]): GPU;
  globals: Record<string, unknown>;
}

const FLAGS = [
  // Unsafe APIs: subgroup matrices are still experimental. f16 on NVIDIA: held back for older drivers only.
  'enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia,use_vulkan_memory_model',
  // Timestamps are otherwise rounded to 65.5 us.
  'disable-dawn-features=timestamp_quantization',
];
const UNSAFE_FAST =
  ',skip_validation,disable_robustness,disable_workgroup_init,disable_polyfills_on_integer_div_and_mod';

/** The variable by which a user masks capabilities. */
const DISABLE = 'RIDGEPOINT_DISABLE';

/** A name no adapter has. Asking for it makes Dawn list, in its error, those there are. */
const NOBODY = 'adapter=(none of them)';

/** All that `create` returned: when one is collected as garbage, the process crashes. */
const held = new Set<GPU>();

let loading: Promise<Dawn> | undefined;

/** Loads Dawn once, the environment prepared first, and puts its constants and classes where browsers have them. */
function loadDawn(): Promise<Dawn> {
  return (loading ??= (async () => {
    await prepareVulkan();
    let dawn: Dawn;
    try {
      dawn = (await import('webgpu')) as unknown as Dawn;
    } catch (cause) {
      throw new RidgepointError(
        'adapter',
        `the npm package "webgpu" cannot be loaded on ${process.platform} ${process.arch}: ${(cause as Error).message}`,
        { cause },
      );
    }
    Object.assign(globalThis, dawn.globals);
    return dawn;
  })());
}

/**
 * Opens an adapter: the one named, else a GPU, else the system's software driver, else SwiftShader from npm, which is
 * unpacked and loaded only when nothing better is there or it is asked for. Begin reading files after this, or after
 * awaiting it, so that the driver's own messages can be hidden.
 *
 * @throws RidgepointError `adapter` when there is none, or none of that name
 */
export async function openAdapter(options: OpenAdapterOptions = {}): Promise<OpenedAdapter> {
  const dawn = await loadDawn();
  const quiet = options.quiet ?? true;
  let names = await listNames(dawn, quiet);
  let choice = chooseAdapter(names, options.adapter);
  if (choice === undefined) {
    names = await listWithSwiftShader(dawn, quiet, names, options.adapter);
    choice = chooseAdapter(names, options.adapter);
  }
  if (names.length === 0) throw noAdapter();
  if (choice === undefined) throw noSuchAdapter(options.adapter ?? '', names);
  const opened = await openNamed(dawn, choice, quiet, options.unsafeFast ?? false);
  paceDawn({ always: opened.isCpu });
  const unasked = options.adapter === undefined && opened.source === 'SwiftShader from npm';
  return unasked ? { ...opened, hint: swiftShaderHint() } : opened;
}

/** Opens every adapter of this machine, the preferred ones first. Empty where there is none. */
export async function listAdapters(options: { quiet?: boolean } = {}): Promise<AdapterListing[]> {
  const dawn = await loadDawn();
  const quiet = options.quiet ?? true;
  const names = await listWithSwiftShader(dawn, quiet, await listNames(dawn, quiet));
  const listings: AdapterListing[] = [];
  for (const name of byPreference(names)) {
    const opened = await openNamed(dawn, name, quiet, false);
    listings.push({ ...opened, isDefault: listings.length === 0 });
  }
  return listings;
}

/** The names with SwiftShader's among them where it can be had, given those there are without. */
async function listWithSwiftShader(dawn: Dawn, quiet: boolean, before: string[], wanted = ''): Promise<string[]> {
  // Without any adapter there may be no Vulkan loader, so bring that too.
  const isBare = before.length === 0;
  if (before.some(isSwiftShader)) return before;
  try {
    if (!(await addSwiftShader({ bringLoader: isBare }))) return before;
  } catch (error) {
    // That it cannot be unpacked matters to who has nothing else, or asks for it.
    if (isBare || isSwiftShader(wanted)) throw error;
    return before;
  }
  let names = await listNames(dawn, quiet);
  if (names.length === 0 && (await onlySwiftShader())) names = await listNames(dawn, quiet);
  return names;
}

async function listNames(dawn: Dawn, quiet: boolean): Promise<string[]> {
  try {
    await request(dawn, [NOBODY], quiet);
    return []; // Dawn answers null, and throws nothing, when there is no adapter at all.
  } catch (error) {
    const lines = (error as Error).message.matchAll(/^ \* backend: '[^']*', name: '(.*)'$/gm);
    return [...new Set([...lines].map((line) => line[1]))];
  }
}

async function openNamed(dawn: Dawn, name: string, quiet: boolean, unsafeFast: boolean): Promise<OpenedAdapter> {
  const flags = unsafeFast ? [FLAGS[0] + UNSAFE_FAST, FLAGS[1]] : FLAGS;
  const { gpu, adapter } = await request(dawn, [`adapter=${name}`, ...flags], quiet);
  if (!adapter) throw new RidgepointError('adapter', `adapter "${name}" is listed but cannot be opened`);
  const info = adapter.info as GPUAdapterInfo & { isFallbackAdapter?: boolean };
  const isCpu = info.isFallbackAdapter === true || isCpuAdapter(name);
  const fromNpm = swiftShaderAdded() && isSwiftShader(name);
  return {
    gpu,
    adapter,
    name,
    driver: info.description,
    isCpu,
    source: fromNpm ? 'SwiftShader from npm' : isCpu ? 'system software' : 'hardware',
    languageFeatures: gpu.wgslLanguageFeatures,
    disabled: parseMasks(process.env[DISABLE] ?? '', DISABLE),
  };
}

async function request(dawn: Dawn, flags: string[], quiet: boolean) {
  if (quiet) await whenFilesRest();
  const ask = () => {
    const gpu = dawn.create(flags);
    held.add(gpu);
    // Of several GPUs Dawn lists the fastest kind first.
    return { gpu, answer: gpu.requestAdapter({ powerPreference: 'high-performance' }) };
  };
  const { gpu, answer } = quiet ? quietly(ask) : ask();
  return { gpu, adapter: await answer };
}
