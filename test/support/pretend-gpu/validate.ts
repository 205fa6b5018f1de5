import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../platform/child.js';
import type { SpirvModule } from './spirv.js';

/** The validator's program, or why there is none. */
export type Validator = { readonly program: string } | { readonly missing: string };

/** Validators before this do not know cooperative matrices. */
const LEAST_YEAR = 2024;

/** Where `.ci/install-pretend-gpu` puts one for machines whose own is too old. */
const unpacked = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ridgepoint', 'spirv-tools', 'spirv-val');

let found: Promise<Validator> | undefined;

/** Finds a spirv-val that knows what our shaders compile to. */
export function validator(): Promise<Validator> {
  return (found ??= (async () => {
    for (const program of ['spirv-val', unpacked()]) {
      const { stdout } = await run(program, ['--version']).catch(() => ({ stdout: '' }));
      if (Number(/^SPIRV-Tools v(\d{4})/.exec(stdout)?.[1] ?? 0) >= LEAST_YEAR) return { program };
    }
    return { missing: `there is no spirv-val of ${LEAST_YEAR} or newer` };
  })());
}

/** What spirv-val has against a module, as a Vulkan 1.3 driver would take it; undefined where nothing. */
export async function faultsOf(program: string, { binary }: SpirvModule): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'ridgepoint-spirv-'));
  try {
    const path = join(folder, 'module.spv');
    await writeFile(path, binary);
    const { code, stdout, stderr } = await run(program, ['--target-env', 'vulkan1.3', path]);
    return code === 0 ? undefined : `${stdout}${stderr}`.trim();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
