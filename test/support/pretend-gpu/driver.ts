import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root, run } from '../../platform/child.js';

/** The driver's manifest for the Vulkan loader, or why there is none. */
export type PretendDriver = { readonly manifest: string } | { readonly missing: string };

const SOURCE = join(root, 'test', 'support', 'pretend-gpu', 'fakenv.c');
const CACHE = join(root, 'node_modules', '.cache', 'pretend-gpu');
/** Where distributions keep the driver that is wrapped; the pretended one looks there too. */
const LAVAPIPE = ['/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib'].map((each) => join(each, 'libvulkan_lvp.so'));

let built: Promise<PretendDriver> | undefined;

/** Builds the pretended GPU's driver, once for each state of its source; later calls find it built. */
export function pretendDriver(): Promise<PretendDriver> {
  return (built ??= build());
}

async function build(): Promise<PretendDriver> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return { missing: 'it is built on x64 Linux only' };
  if (!LAVAPIPE.some((each) => existsSync(each))) return { missing: 'it wraps lavapipe, which is not installed' };
  const source = await readFile(SOURCE);
  const name = createHash('sha256').update(source).digest('hex').slice(0, 16);
  const library = join(CACHE, `libfakenv-${name}.so`);
  const manifest = join(CACHE, `fakenv-${name}.json`);
  if (existsSync(manifest)) return { manifest };
  await mkdir(CACHE, { recursive: true });
  const partial = `${library}.${process.pid}.part`;
  const args = ['-O2', '-shared', '-fPIC', '-o', partial, SOURCE, '-ldl', '-lpthread'];
  try {
    const { code, stderr } = await run('gcc', args);
    if (/vulkan\/\w+\.h: No such file/.test(stderr)) return { missing: "Vulkan's headers are not installed" };
    if (code !== 0) throw new Error(`the pretended GPU does not compile: ${stderr}`);
    await rename(partial, library);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { missing: 'there is no C compiler' };
    throw error;
  } finally {
    await rm(partial, { force: true });
  }
  // The manifest last, and whole: where it is, the library is too.
  const icd = { file_format_version: '1.0.1', ICD: { library_path: library, api_version: '1.4.303' } };
  await writeFile(`${manifest}.${process.pid}.part`, JSON.stringify(icd));
  await rename(`${manifest}.${process.pid}.part`, manifest);
  return { manifest };
}
