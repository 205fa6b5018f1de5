import { realpath, rmdir, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileSink, ModelSink } from '../../checkpoint/sink.js';
import type { FileSource } from '../../checkpoint/source.js';
import { RidgepointError } from '../../errors.js';
import { option, words } from '../../wording.js';
import { disk, whyUnwritable } from './disk.js';
import { LockHeld, takeLock, type Lock } from './lock.js';
import { syncFolder, WholeFile } from './whole-file.js';

/** What a file is called until all of them are there. */
const PARTIAL = '.partial';
/** What a file of the model that was there before is called while it is being replaced. */
const REPLACED = '.replaced';
/** Held by whoever writes into the folder. */
const LOCK = '.ridgepoint.lock';

/** What makes a folder look like a model, other than its tokenizer. */
const MODEL_FILE = /^(config\.json|model\.safetensors\.index\.json|model(-\d+-of-\d+)?\.safetensors)$/;
const CONFIG = 'config.json';

const COPIED_AT_ONCE = 4 << 20;

function unwritable(path: string, cause: unknown): RidgepointError {
  return new RidgepointError('usage', `${path}: cannot be written: ${whyUnwritable(cause)}`, { cause });
}

class NodeFileSink implements FileSink {
  readonly #file: WholeFile;

  constructor(file: WholeFile) {
    this.#file = file;
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    try {
      await this.#file.write(bytes, offset);
    } catch (error) {
      throw unwritable(this.#file.partial, error);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#file.close();
    } catch (error) {
      throw unwritable(this.#file.partial, error);
    }
  }
}

/**
 * A folder that a model is written to. Files go by other names until `commit`, which puts `config.json` last: a run that
 * is cut short leaves nothing that looks like a model.
 */
export class ModelOutput implements ModelSink {
  readonly #files = new Map<string, WholeFile>();
  readonly #made: boolean;
  readonly #lock: Lock;

  private constructor(
    readonly path: string,
    made: boolean,
    lock: Lock,
  ) {
    this.#made = made;
    this.#lock = lock;
  }

  /**
   * @param force whether a model that is there already may be replaced; other files are left alone in any case
   * @param source the folder that is read meanwhile, where it is known
   * @throws RidgepointError where the folder is not empty, is the source, is being written to by another run, or cannot
   *   be written to
   */
  static async open(path: string, { force, source }: { force: boolean; source?: string }): Promise<ModelOutput> {
    let made: boolean;
    let lock: Lock;
    try {
      made = (await disk.mkdir(path, { recursive: true })) !== undefined;
      if (source !== undefined && (await realpath(path)) === (await realpath(source))) {
        throw new RidgepointError('usage', `${path}: is the folder of the model itself; choose another`);
      }
      lock = await takeLock(join(path, LOCK), { wait: false });
    } catch (error) {
      if (error instanceof RidgepointError) throw error;
      if (error instanceof LockHeld) {
        const message = `${path}: ${error.holder} is writing a model there; wait for it, or choose another folder`;
        throw new RidgepointError('usage', message, { cause: error });
      }
      throw unwritable(path, error);
    }
    const output = new ModelOutput(path, made, lock);
    try {
      await output.#recover();
      // What a run that was killed left behind does not count.
      const present = (await disk.readdir(path)).filter((file) => !file.endsWith(PARTIAL) && !file.startsWith(LOCK));
      if (!force && present.length > 0) {
        throw new RidgepointError(
          'usage',
          words`${path}: is not empty; choose another folder, or add ${option('quantize.force')} to write into it`,
        );
      }
      return output;
    } catch (error) {
      await output.discard();
      throw error instanceof RidgepointError ? error : unwritable(path, error);
    }
  }

  /**
   * Fails as `open` and writing would, before a model is fetched that is to be written there.
   *
   * @throws RidgepointError as `open` does
   */
  static async check(path: string, options: { force: boolean }): Promise<void> {
    const output = await ModelOutput.open(path, options);
    try {
      await output.create(CONFIG);
    } finally {
      await output.discard();
    }
  }

  /** @throws RidgepointError where the disk has less than so many bytes free */
  async reserve(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.path);
    if (bavail * bsize >= bytes) return;
    const [needed, free] = [bytes, bavail * bsize].map((each) => `${(each / 1e9).toFixed(2)} GB`);
    throw new RidgepointError('usage', `${this.path}: ${needed} are needed, but the disk has ${free} free`);
  }

  /** @param file a name, or a path of one folder and a name */
  async create(file: string): Promise<FileSink> {
    const path = join(this.path, file);
    try {
      await disk.mkdir(dirname(path), { recursive: true });
      const output = await WholeFile.open(path, { partial: path + PARTIAL });
      this.#files.set(file, output);
      return new NodeFileSink(output);
    } catch (error) {
      throw unwritable(path + PARTIAL, error);
    }
  }

  async writeText(file: string, text: string): Promise<void> {
    const sink = await this.create(file);
    await sink.write(0, new TextEncoder().encode(text));
    await sink.close();
  }

  /** Copies a file under the name it has, or in a folder inside. */
  async copy(source: FileSource, folder = ''): Promise<void> {
    const sink = await this.create(folder === '' ? source.name : `${folder}/${source.name}`);
    const buffer = new Uint8Array(Math.min(source.size, COPIED_AT_ONCE));
    for (let at = 0; at < source.size; at += buffer.length) {
      const piece = buffer.subarray(0, Math.min(buffer.length, source.size - at));
      await source.read(at, piece);
      await sink.write(at, piece);
    }
    await sink.close();
  }

  /**
   * Gives the files their names. Those of a model that was there before keep other names until all is done, and get
   * their own back when it fails.
   */
  async commit(): Promise<void> {
    const named: string[] = [];
    const replaced: string[] = [];
    const at = (file: string): string => join(this.path, file);
    const configLast = (file: string): number => Number(file === CONFIG);
    const files = [...this.#files.keys()].sort((a, b) => configLast(a) - configLast(b));
    try {
      const before = (await disk.readdir(this.path)).filter((file) => MODEL_FILE.test(file) || this.#files.has(file));
      for (const file of before.sort((a, b) => configLast(a) - configLast(b))) {
        await disk.rename(at(file), at(file + REPLACED));
        replaced.push(file);
      }
      // An old configuration under its other name says that all of the old model is out of the way.
      if (replaced.length > 0 && !replaced.includes(CONFIG)) {
        await (await disk.open(at(CONFIG + REPLACED), 'w')).close();
        replaced.push(CONFIG);
      }
      for (const file of files) {
        // The last name makes it a model: the others are safe by then.
        if (file === CONFIG) await syncFolder(this.path);
        await disk.rename(at(file + PARTIAL), at(file));
        named.push(file);
      }
      await syncFolder(this.path);
    } catch (error) {
      for (const file of named.reverse()) await disk.rename(at(file), at(file + PARTIAL)).catch(() => undefined);
      for (const file of replaced) await this.#restore(file).catch(() => undefined);
      throw unwritable(this.path, error);
    }
    this.#files.clear();
    try {
      // The configuration last: while it is there, the rest is known to be of no use.
      for (const file of replaced) await disk.rm(at(file + REPLACED), { force: true });
    } catch {
      // The next run into this folder removes them.
    }
    await this.#lock.release().catch(() => undefined);
  }

  /** Removes what was written so far. */
  async discard(): Promise<void> {
    for (const file of this.#files.values()) await file.discard();
    const folders = new Set([...this.#files.keys()].map(dirname).filter((folder) => folder !== '.'));
    for (const folder of folders) await rmdir(join(this.path, folder)).catch(() => undefined);
    await this.#lock.release().catch(() => undefined);
    if (this.#made) await rmdir(this.path).catch(() => undefined); // somebody may have put something there
  }

  /** Gives a file of the old model its name back; an empty configuration stands for none. */
  async #restore(file: string): Promise<void> {
    const path = join(this.path, file);
    const isMark = file === CONFIG && (await disk.stat(path + REPLACED)).size === 0;
    await (isMark ? disk.rm(path + REPLACED) : disk.rename(path + REPLACED, path));
  }

  /** Ends what a run began that was killed while it replaced a model: the new one where it is whole, else the old. */
  async #recover(): Promise<void> {
    const present = await disk.readdir(this.path);
    const replaced = present
      .filter((file) => file.endsWith(REPLACED))
      .map((file) => file.slice(0, -REPLACED.length))
      .sort((a, b) => Number(a === CONFIG) - Number(b === CONFIG));
    const isAway = replaced.includes(CONFIG);
    if (isAway && present.includes(CONFIG)) {
      for (const file of replaced) await disk.rm(join(this.path, file + REPLACED), { force: true });
      return;
    }
    if (isAway)
      for (const file of present.filter((each) => MODEL_FILE.test(each))) await disk.rm(join(this.path, file));
    for (const file of replaced) await this.#restore(file);
  }
}
