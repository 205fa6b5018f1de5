import type { FileHandle } from 'node:fs/promises';
import { disk } from '../../src/platform/node/disk.js';

/** A call of the file system: its name, and the file it is about. */
export interface DiskCall {
  readonly name: string;
  readonly path: string;
}

/**
 * What a call does: passes; fails with an error of that code; `short` writes half of the bytes and says so, after which
 * the disk is full; `crash` ends the program as far as the disk can tell: this call and all later ones fail.
 */
export type Fault = 'pass' | 'short' | 'crash' | (string & {});

const HANDLE_CALLS = ['write', 'writeFile', 'sync', 'close', 'truncate', 'stat', 'read'] as const;

const failure = (code: string, { name, path }: DiskCall): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: injected, ${name} '${path}'`), { code, syscall: name, path });

/** The real disk, with faults, between `new FaultyDisk` and `restore`. */
export class FaultyDisk {
  readonly calls: DiskCall[] = [];
  /** Files that got their name while some of their bytes could still have been lost in a crash. */
  readonly named: string[] = [];
  readonly #real = { ...disk };
  readonly #dirty = new Set<string>();
  readonly #open = new Set<FileHandle>();
  #crashed = false;
  #full = false;

  readonly #fault: (call: DiskCall, index: number) => Fault;

  constructor(fault: (call: DiskCall, index: number) => Fault = () => 'pass') {
    this.#fault = fault;
    const target = disk as unknown as Record<string, unknown>;
    for (const [name, real] of Object.entries(this.#real)) {
      target[name] = async (path: string, ...rest: unknown[]) => {
        this.#ask({ name, path });
        if (name === 'rename' && this.#dirty.has(path)) this.named.push(String(rest[0]));
        const result: unknown = await (real as (...args: unknown[]) => Promise<unknown>)(path, ...rest);
        return name === 'open' ? this.#handle(path, result as FileHandle) : result;
      };
    }
  }

  async restore(): Promise<void> {
    Object.assign(disk, this.#real);
    for (const handle of this.#open) await handle.close().catch(() => undefined);
  }

  #ask(call: DiskCall): 'pass' | 'short' {
    const index = this.calls.push(call) - 1;
    if (this.#crashed) throw failure('ECRASHED', call);
    const fault = this.#fault(call, index);
    if (fault === 'crash') {
      this.#crashed = true;
      throw failure('ECRASHED', call);
    }
    if (this.#full && call.name === 'write') throw failure('ENOSPC', call);
    if (fault === 'pass' || (fault === 'short' && call.name !== 'write')) return 'pass';
    if (fault !== 'short') throw failure(fault, call);
    this.#full = true;
    return 'short';
  }

  #handle(path: string, real: FileHandle): FileHandle {
    this.#open.add(real);
    const faulty: Record<string, unknown> = {};
    for (const name of HANDLE_CALLS) {
      faulty[name] = async (...args: unknown[]) => {
        let isShort: boolean;
        try {
          isShort = this.#ask({ name, path }) === 'short';
        } finally {
          // As POSIX has it: a descriptor is gone even where close fails.
          if (name === 'close') {
            this.#open.delete(real);
            if (this.calls.at(-1)?.name === 'close') await real.close().catch(() => undefined);
          }
        }
        if (name === 'close') return;
        if (name === 'write' || name === 'writeFile' || name === 'truncate') this.#dirty.add(path);
        if (name === 'sync') this.#dirty.delete(path);
        if (isShort) args[2] = Math.ceil((args[2] as number) / 2);
        return (real[name] as (...values: unknown[]) => Promise<unknown>).apply(real, args);
      };
    }
    return faulty as unknown as FileHandle;
  }
}
