import { mkdir, open, readdir, realpath, rename, rm, rmdir, statfs, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileSink, ModelSink } from '../../checkpoint/sink.js';
import type { FileSource } from '../../checkpoint/source.js';
import { RidgepointError } from '../../errors.js';

/** What a file is called until all of them are there. */
const PARTIAL = '.partial';

/** What makes a folder look like a model, other than its tokenizer. */
const MODEL_FILE = /^(config\.json|model\.safetensors\.index\.json|model(-\d+-of-\d+)?\.safetensors)$/;

const COPIED_AT_ONCE = 4 << 20;

function unwritable(path: string, error: unknown): RidgepointError {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    EACCES: 'permission denied; check who may write there',
    EPERM: 'permission denied; check who may write there',
    EROFS: 'the disk can only be read; choose another',
    ENOSPC: 'the disk is full; free some space or choose another disk',
    EDQUOT: 'your quota is used up; free some space or choose another disk',
    ENOTDIR: 'a file is in the way; choose another folder',
    EEXIST: 'a file is in the way; choose another folder',
  };
  const reason = reasons[code ?? ''] ?? message;
  return new RidgepointError('usage', `${path}: cannot be written: ${reason}`, { cause: error });
}

class NodeFileSink implements FileSink {
  constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
  ) {}

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) {
        done += (await this.handle.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
      }
    } catch (error) {
      throw unwritable(this.path, error);
    }
  }

  async close(): Promise<void> {
    try {
      await this.handle.sync();
    } catch (error) {
      throw unwritable(this.path, error);
    } finally {
      await this.handle.close();
    }
  }
}

/**
 * A folder that a model is written to. Files go by other names until `commit`, which puts `config.json` last: a run that
 * is cut short leaves nothing that looks like a model.
 */
export class ModelOutput implements ModelSink {
  readonly #files: string[] = [];

  private constructor(
    readonly path: string,
    private readonly made: boolean,
  ) {}

  /**
   * @param force whether a model that is there already may be replaced; other files are left alone in any case
   * @param source the folder that is read meanwhile
   * @throws RidgepointError where the folder is not empty, is the source, or cannot be written to
   */
  static async open(path: string, { force, source }: { force: boolean; source: string }): Promise<ModelOutput> {
    let made: boolean;
    let present: string[];
    try {
      made = (await mkdir(path, { recursive: true })) !== undefined;
      present = await readdir(path);
    } catch (error) {
      throw unwritable(path, error);
    }
    if ((await realpath(path)) === (await realpath(source))) {
      throw new RidgepointError('usage', `${path}: is the folder of the model itself; choose another`);
    }
    // Left behind by a run that was killed.
    if (!force && present.some((file) => !file.endsWith(PARTIAL))) {
      throw new RidgepointError(
        'usage',
        `${path}: is not empty; choose another folder, or add --force to write into it`,
      );
    }
    return new ModelOutput(path, made);
  }

  /** @throws RidgepointError where the disk has less than so many bytes free */
  async reserve(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.path);
    if (bavail * bsize >= bytes) return;
    const [needed, free] = [bytes, bavail * bsize].map((each) => `${(each / 1e9).toFixed(2)} GB`);
    throw new RidgepointError('usage', `${this.path}: ${needed} are needed, but the disk has ${free} free`);
  }

  async create(file: string): Promise<FileSink> {
    const path = join(this.path, file + PARTIAL);
    try {
      const handle = await open(path, 'w');
      this.#files.push(file);
      return new NodeFileSink(path, handle);
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  async writeText(file: string, text: string): Promise<void> {
    const sink = await this.create(file);
    await sink.write(0, new TextEncoder().encode(text));
    await sink.close();
  }

  /** Copies a file under the name it has. */
  async copy(source: FileSource): Promise<void> {
    const sink = await this.create(source.name);
    const buffer = new Uint8Array(Math.min(source.size, COPIED_AT_ONCE));
    for (let at = 0; at < source.size; at += buffer.length) {
      const piece = buffer.subarray(0, Math.min(buffer.length, source.size - at));
      await source.read(at, piece);
      await sink.write(at, piece);
    }
    await sink.close();
  }

  /** Gives the files their names; those of a model that was there before go first. */
  async commit(): Promise<void> {
    try {
      for (const file of await readdir(this.path)) if (MODEL_FILE.test(file)) await unlink(join(this.path, file));
      const last = (file: string): number => Number(file === 'config.json');
      for (const file of [...this.#files].sort((a, b) => last(a) - last(b))) {
        const path = join(this.path, file);
        await rename(path + PARTIAL, path);
      }
    } catch (error) {
      throw unwritable(this.path, error);
    }
  }

  /** Removes what was written so far. */
  async discard(): Promise<void> {
    await Promise.all(this.#files.map((file) => rm(join(this.path, file + PARTIAL), { force: true })));
    if (this.made) await rmdir(this.path).catch(() => undefined); // somebody may have put something there
  }
}
