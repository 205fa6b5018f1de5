// Finds a way to a GPU on a machine that nobody prepared for Vulkan.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';

const MANIFEST_FOLDERS = [
  '/usr/local/nvidia/share/vulkan/icd.d',
  '/etc/vulkan/icd.d',
  '/usr/share/vulkan/icd.d',
  '/usr/local/share/vulkan/icd.d',
  '/usr/local/etc/vulkan/icd.d',
];
/** Where container runtimes put NVIDIA's libraries, if not where the system looks. */
const NVIDIA_LIBRARIES = ['/usr/local/nvidia/lib64', '/usr/local/nvidia/lib'];

/** NVIDIA's driver under two names; the second asks for no X11. */
const NVIDIA_DRIVERS = ['libGLX_nvidia.so.0', 'libEGL_nvidia.so.0'];

/** @returns {string[]} NVIDIA's driver manifests of this machine, one for each file name */
export function nvidiaManifests(folders = MANIFEST_FOLDERS) {
  const found = new Map();
  for (const folder of folders) {
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder).sort()) {
      if (/nvidia.*\.json$/i.test(name) && !/layers?\.json$/i.test(name) && !found.has(name))
        found.set(name, join(folder, name));
    }
  }
  return [...found.values()];
}

/**
 * Environments to look for an adapter in, the most likely first; the last two are there on every machine.
 *
 * @param {{ env: object, unpacked: string, manifests: readonly string[], hasNvidia: boolean, software: boolean }} machine
 * @returns {{ name: string, env: Record<string, string | undefined> }[]} with what differs from `env`; undefined
 *   removes a variable
 */
export function attempts({ env, unpacked, manifests, hasNvidia, software }) {
  const path = (...folders) => ({
    LD_LIBRARY_PATH: [...folders, ...NVIDIA_LIBRARIES.filter((each) => existsSync(each)), env.LD_LIBRARY_PATH]
      .filter(Boolean)
      .join(':'),
  });
  const plain = path(join(unpacked, 'lib'));
  const spare = path(join(unpacked, 'lib'), join(unpacked, 'spare'));
  const none = { VK_DRIVER_FILES: undefined, VK_ICD_FILENAMES: undefined };
  const asIs = { name: 'as the machine is set up', env: { ...plain, ...none } };
  const last = { name: 'software driver of the kit', env: { ...asIs.env, VK_LOADER_DRIVERS_SELECT: '*swiftshader*' } };
  if (software) return [asIs, last];
  const list = [];
  if (env.VK_DRIVER_FILES || env.VK_ICD_FILENAMES) list.push({ name: 'drivers named by the environment', env: plain });
  if (hasNvidia || manifests.length > 0) {
    if (manifests.length > 0) {
      const chosen = { ...none, VK_DRIVER_FILES: manifests.join(':') };
      list.push({ name: "NVIDIA's manifest", env: { ...plain, ...chosen } });
      list.push({ name: "NVIDIA's manifest, spare libraries", env: { ...spare, ...chosen } });
    }
    for (const library of NVIDIA_DRIVERS) {
      const chosen = { ...none, VK_DRIVER_FILES: join(unpacked, `${library}.json`) };
      list.push({ name: `${library}, spare libraries`, env: { ...spare, ...chosen } });
    }
  }
  return [...list, asIs, last];
}

/** Writes the manifests that `attempts` names. */
export function writeManifests(unpacked) {
  for (const library of NVIDIA_DRIVERS) {
    const where = NVIDIA_LIBRARIES.map((folder) => join(folder, library)).find((path) => existsSync(path)) ?? library;
    const manifest = { file_format_version: '1.0.1', ICD: { library_path: where, api_version: '1.4.303' } };
    writeFileSync(join(unpacked, `${library}.json`), `${JSON.stringify(manifest)}\n`);
  }
}

/** What the system's linker says to each library on the way to NVIDIA's driver: names the one that is missing. */
export function linkerAnswers(names = ['libvulkan.so.1', ...NVIDIA_DRIVERS, 'libcuda.so.1']) {
  return Object.fromEntries(
    names.map((name) => {
      try {
        process.dlopen({ exports: {} }, name, constants.dlopen.RTLD_LAZY);
        return [name, 'loads'];
      } catch (error) {
        return [name, /self-register/.test(error.message) ? 'loads' : error.message];
      }
    }),
  );
}

// As a program it prints those answers, for an environment that must be set before a process starts.
if (process.argv[2] === '--answers') console.log(JSON.stringify(linkerAnswers()));
