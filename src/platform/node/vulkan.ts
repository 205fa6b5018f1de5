import { constants } from 'node:os';
import { swiftShader } from './swiftshader.js';

/** Not in `os.constants`: keeps a library mapped although Node, finding it is no addon, closes it again. */
const RTLD_NODELETE = 0x1000;

/** Each, when set, replaces the loader's search for drivers, even when it is empty. */
const REPLACING = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'];

let added = false;
let replaced = false;

/** Whether SwiftShader from the npm package was offered to the Vulkan loader, by this process or one that started it. */
export const swiftShaderAdded = (): boolean =>
  added || /\/swiftshader-[\d.]+\/vk_swiftshader_icd\.json/.test(process.env.VK_ADD_DRIVER_FILES ?? '');

/**
 * The variable and value by which the user chose Vulkan drivers, if one did. It replaces the loader's own search, so
 * nothing is added to it.
 */
export function userDrivers(): string | undefined {
  for (const name of REPLACING) {
    if (process.env[name] && !replaced) return `${name}=${process.env[name]}`;
  }
  return undefined;
}

/**
 * Prepares the environment before `webgpu` asks for an adapter. Implicit layers (overlays, capture tools) cost start-up
 * time and can fail; whoever wants one sets the variable. An empty choice of drivers is taken for none. A machine
 * without a Vulkan loader gets the one from npm at once: asking Dawn first would only make it complain.
 */
export async function prepareVulkan(): Promise<void> {
  process.env.VK_LOADER_LAYERS_DISABLE ??= '~implicit~';
  for (const name of REPLACING) if (process.env[name] === '') delete process.env[name];
  if (process.platform === 'linux' && !mapLibrary('libvulkan.so.1')) await addSwiftShader({ bringLoader: true });
}

/**
 * Offers SwiftShader beside the drivers of the machine; the loader reads the environment anew at each adapter request,
 * so this may follow a request that found nothing. With `bringLoader` the Vulkan loader of the package is mapped too,
 * for machines without `libvulkan.so.1`: Dawn's later `dlopen` of that name finds it. It reads the same driver folders
 * as a system loader.
 *
 * @returns false where nothing could be added: no package, another platform, or drivers chosen by the user
 */
export async function addSwiftShader({ bringLoader }: { bringLoader: boolean }): Promise<boolean> {
  const files = await swiftShader();
  if (!files) return false;
  if (bringLoader) mapLibrary(files.loader);
  if (userDrivers()) return bringLoader;
  if (!swiftShaderAdded()) {
    // Written from the main thread, this reaches the getenv of native code.
    const others = process.env.VK_ADD_DRIVER_FILES;
    process.env.VK_ADD_DRIVER_FILES = others ? `${others}:${files.manifest}` : files.manifest;
    added = true;
  }
  return true;
}

/** Makes SwiftShader the only driver: for loaders from before 2022, which do not know `VK_ADD_DRIVER_FILES`. */
export async function onlySwiftShader(): Promise<boolean> {
  const files = userDrivers() ? undefined : await swiftShader();
  if (!files) return false;
  process.env.VK_ICD_FILENAMES = files.manifest;
  added = replaced = true;
  return true;
}

/**
 * Maps a shared library that is no Node addon: Node maps it, then throws because nothing registered itself.
 *
 * @returns whether it could be mapped
 */
function mapLibrary(path: string): boolean {
  try {
    process.dlopen({ exports: {} }, path, constants.dlopen.RTLD_NOW | RTLD_NODELETE);
    return true;
  } catch (error) {
    return /self-register/.test((error as Error).message);
  }
}
