import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { RidgepointError } from '../../errors.js';
import { disk, whyUnwritable } from './disk.js';
import { LockHeld, takeLock, type Lock } from './lock.js';
import { readWhole } from './read-whole.js';
import { writeWhole } from './whole-file.js';

const NEWLINE = 0x0a;

/**
 * Lines that are kept as they are found, in a file that one run at a time adds to. A line is there whole or not at all:
 * what a run that was ended in the middle of one left is cut off when the file is opened.
 */
export class KeptLines {
  #bytes: number;
  #last: Promise<void> = Promise.resolve();
  readonly #handle: FileHandle;
  readonly #lock: Lock;

  private constructor(
    readonly path: string,
    /** What was there before, without line ends. */
    readonly lines: readonly string[],
    handle: FileHandle,
    lock: Lock,
    bytes: number,
  ) {
    this.#handle = handle;
    this.#lock = lock;
    this.#bytes = bytes;
  }

  /**
   * @param beginning what every line begins with; a part of a line that does not is somebody else's, and stays
   * @throws RidgepointError('usage') when the file cannot be read and written, holds something else at its end, or
   *   another run is adding to it
   */
  static async open(path: string, beginning: string): Promise<KeptLines> {
    let lock: Lock | undefined;
    let handle: FileHandle | undefined;
    try {
      await disk.mkdir(dirname(path), { recursive: true });
      lock = await takeLock(`${path}.lock`, { wait: false });
      handle = await disk.open(path, 'a');
      const content = await readWhole(path);
      const whole = content.lastIndexOf(NEWLINE) + 1;
      const part = content.toString('utf8', whole);
      if (!part.startsWith(beginning) && !beginning.startsWith(part)) {
        throw new RidgepointError(
          'usage',
          `${path}: ends in something else than a run left there; choose another file`,
        );
      }
      if (part !== '') await handle.truncate(whole);
      const lines = new TextDecoder().decode(content.subarray(0, whole)).split('\n').slice(0, -1);
      return new KeptLines(path, lines, handle, lock, whole);
    } catch (cause) {
      await handle?.close().catch(() => undefined);
      await lock?.release().catch(() => undefined);
      if (cause instanceof RidgepointError) throw cause;
      const why =
        cause instanceof LockHeld
          ? `${cause.holder} is adding to it; wait for it, or choose another file`
          : `cannot be written: ${whyUnwritable(cause)}`;
      throw new RidgepointError('usage', `${path}: ${why}`, { cause });
    }
  }

  /**
   * Adds a line, which is in the file when this resolves.
   *
   * @throws RidgepointError('usage') when it cannot be written; the lines before it are as they were
   */
  add(line: string): Promise<void> {
    const added = this.#last.then(() => this.#write(new TextEncoder().encode(`${line}\n`)));
    this.#last = added.catch(() => undefined);
    return added;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done);
        // A system that takes nothing and names no reason would be asked for ever.
        if (bytesWritten === 0) throw Object.assign(new Error('nothing was written'), { code: 'EIO' });
        done += bytesWritten;
      }
      this.#bytes += bytes.length;
    } catch (cause) {
      await this.#handle.truncate(this.#bytes).catch(() => undefined);
      throw new RidgepointError('usage', `${this.path}: cannot be written: ${whyUnwritable(cause)}`, { cause });
    }
  }

  /** Writes other lines in place of all that are there, after which none is added. @throws RidgepointError('usage') when it cannot be written */
  async replace(lines: readonly string[]): Promise<void> {
    await this.#last;
    await writeWhole(this.path, lines.map((line) => `${line}\n`).join(''));
  }

  /** Lets others add to the file. What was added stays. */
  async close(): Promise<void> {
    await this.#last;
    await this.#handle.close();
    await this.#lock.release();
  }
}
