import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FreeMemory } from '../../engine/host.js';

/** The tool asks every GPU of the machine, which takes seconds where no driver is resident. */
const PATIENCE_MS = 10_000;
const MIB = 1 << 20;

/**
 * Memory that a GPU has free, which WebGPU does not tell: from nvidia-smi, or from the kernel's driver for AMD.
 * Undefined where neither answers.
 *
 * @param vendor as Dawn names it
 * @param name the adapter's, for machines with several
 */
export async function freeGpuMemory(vendor: string, name: string): Promise<FreeMemory | undefined> {
  if (/nvidia/i.test(vendor)) return fromNvidiaSmi(name);
  if (/amd/i.test(vendor)) return fromKernel('/sys/class/drm');
  return undefined;
}

async function fromNvidiaSmi(name: string): Promise<FreeMemory | undefined> {
  const args = ['--query-gpu=name,memory.free', '--format=csv,noheader,nounits'];
  const text = await new Promise<string>((resolve) => {
    execFile('nvidia-smi', args, { timeout: PATIENCE_MS }, (error, stdout) => resolve(error ? '' : stdout));
  });
  return least(freeByName(text, name), 'nvidia-smi');
}

/** Bytes free on each GPU of a name; none for one that does not say, as where it is cut into parts. */
export function freeByName(table: string, name: string): number[] {
  return table.split('\n').flatMap((line) => {
    const comma = line.lastIndexOf(',');
    const mib = Number(line.slice(comma + 1).trim() || NaN);
    return line.slice(0, comma).trim() === name && Number.isFinite(mib) ? [mib * MIB] : [];
  });
}

/** AMD's cards by their files; their names are not the adapter's. */
export async function fromKernel(folder: string): Promise<FreeMemory | undefined> {
  const number = async (...path: string[]): Promise<number> =>
    Number((await readFile(join(folder, ...path), 'utf8')).trim());
  const cards = await readdir(folder).catch(() => [] as string[]);
  const free = await Promise.all(
    cards
      .filter((card) => /^card\d+$/.test(card))
      .map(async (card) => {
        const total = await number(card, 'device', 'mem_info_vram_total');
        return total - (await number(card, 'device', 'mem_info_vram_used'));
      })
      .map((bytes) => bytes.catch(() => NaN)),
  );
  return least(
    free.filter((bytes) => Number.isFinite(bytes)),
    'the driver',
  );
}

/** Of several alike, nobody tells which one Dawn opened: the fullest is the safe guess. */
function least(bytes: readonly number[], by: string): FreeMemory | undefined {
  return bytes.length === 0 ? undefined : { bytes: Math.min(...bytes), by };
}
