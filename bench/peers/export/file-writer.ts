import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';

/** Writes a file front to back under another name, which it gets only once it is whole. */
export class FileWriter {
  #fd: number;
  #written = 0;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(`${path}.part`, 'w');
  }

  /** Bytes written so far. */
  get written(): number {
    return this.#written;
  }

  write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;)
      done += writeSync(this.#fd, bytes, done, Math.min(bytes.length - done, 1 << 30));
    this.#written += bytes.length;
  }

  /** Zeros up to the next multiple of `alignment` bytes. */
  pad(alignment: number): void {
    this.write(new Uint8Array((alignment - (this.#written % alignment)) % alignment));
  }

  finish(): void {
    fsyncSync(this.#fd);
    closeSync(this.#fd);
    renameSync(`${this.#path}.part`, this.#path);
  }
}
