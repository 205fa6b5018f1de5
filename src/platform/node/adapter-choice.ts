import { readFileSync } from 'node:fs';
import { RidgepointError } from '../../errors.js';
import { userDrivers } from './vulkan.js';

const SWIFTSHADER = /swiftshader/i;
/** Drivers that run shaders on the CPU, by the names Dawn lists: Mesa's, Google's, Microsoft's. */
const CPU_ADAPTERS = /llvmpipe|lavapipe|softpipe|swiftshader|basic render/i;

export const isSwiftShader = (name: string): boolean => SWIFTSHADER.test(name);
export const isCpuAdapter = (name: string): boolean => CPU_ADAPTERS.test(name);

/** 0 for a GPU, 1 for a software driver of the system, 2 for SwiftShader, which is the slowest of all. */
const rank = (name: string): number => (isSwiftShader(name) ? 2 : isCpuAdapter(name) ? 1 : 0);

/** The names in order of preference; adapters of one kind stay in Dawn's order. */
export function byPreference(names: readonly string[]): string[] {
  return [...names].sort((a, b) => rank(a) - rank(b));
}

/**
 * The best adapter whose name contains `wanted`, in any case; the best of all when it is absent. Mesa's software driver
 * is known as lavapipe but calls its device llvmpipe: either word finds it.
 */
export function chooseAdapter(names: readonly string[], wanted?: string): string | undefined {
  const part = wanted?.trim().toLowerCase().replace('lavapipe', 'llvmpipe') ?? '';
  return byPreference(names).find((name) => name.toLowerCase().includes(part));
}

/** The error for `--adapter` naming none of the adapters there are. */
export function noSuchAdapter(wanted: string, names: readonly string[]): RidgepointError {
  const list = byPreference(names)
    .map((name) => `"${name}"`)
    .join(', ');
  return new RidgepointError('adapter', `no adapter's name contains "${wanted}"; there are: ${list}`);
}

/** The error for a machine without any usable adapter: says why where that can be known, and what to do. */
export function noAdapter(platform: string = process.platform, arch: string = process.arch): RidgepointError {
  const chosen = userDrivers();
  if (chosen) {
    return new RidgepointError(
      'adapter',
      `no usable Vulkan driver: ${chosen} brings none; unset it, or name a driver's .json file that can be read`,
    );
  }
  if (platform !== 'linux') {
    return new RidgepointError('adapter', 'no WebGPU adapter found; install or update the driver of your GPU');
  }
  const carried =
    arch === 'x64'
      ? '; or "npm install --include=optional", which brings SwiftShader (slow, but it needs no root)'
      : '';
  return new RidgepointError(
    'adapter',
    `no usable Vulkan driver found; install your GPU's, or Mesa's software driver: ${howToInstallMesa()}${carried}`,
  );
}

/** One line for a user who runs on SwiftShader. */
export function swiftShaderHint(osRelease?: string): string {
  return (
    'Running on SwiftShader, the software driver that came with npm. A GPU with its Vulkan driver is far faster, and ' +
    `Mesa's software driver 3 to 10 times faster: ${howToInstallMesa(osRelease)}`
  );
}

/** How to install a Mesa that Dawn accepts (25 or newer) on this distribution, as a command where one is known. */
export function howToInstallMesa(osRelease: string = readOsRelease()): string {
  const field = (name: string) => new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(osRelease)?.[1] ?? '';
  const family = `${field('ID')} ${field('ID_LIKE')}`;
  if (field('VERSION_CODENAME') === 'bookworm') {
    return '"apt install -t bookworm-backports mesa-vulkan-drivers", with bookworm-backports among the apt sources';
  }
  if (/\b(debian|ubuntu)\b/.test(family)) return '"apt install mesa-vulkan-drivers" (Mesa 25 or newer)';
  if (/\b(fedora|rhel)\b/.test(family)) return '"dnf install mesa-vulkan-drivers vulkan-loader" (Mesa 25 or newer)';
  if (/\barch\b/.test(family)) return '"pacman -S vulkan-swrast vulkan-icd-loader"';
  return 'the package mesa-vulkan-drivers, or what holds lavapipe, of Mesa 25 or newer';
}

function readOsRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    return '';
  }
}
