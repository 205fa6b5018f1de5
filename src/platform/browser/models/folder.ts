import { isPlainFileName, printable, type FileSource, type ModelFolder } from '../../../checkpoint/source.js';
import { RidgepointError } from '../../../errors.js';

/** More than any text of a model's folder; a string could not hold it either. */
const MAX_TEXT_BYTES = 400 << 20;

/** A folder of a browser's: what differs is how a file is opened. */
export abstract class BrowserFolder implements ModelFolder {
  constructor(readonly name: string) {}

  /** Opens a file whose name is plain. */
  protected abstract find(file: string): Promise<FileSource | undefined>;

  open(file: string): Promise<FileSource | undefined> {
    if (isPlainFileName(file)) return this.find(file);
    throw new RidgepointError('checkpoint', `${printable(file)}: is not a file directly inside ${this.name}`);
  }

  async readText(file: string): Promise<string | undefined> {
    const source = await this.open(file);
    if (source === undefined) return undefined;
    try {
      if (source.size > MAX_TEXT_BYTES) {
        const size = `${Math.round(source.size / (1 << 20))} MiB`;
        throw new RidgepointError('checkpoint', `${this.name}/${file}: is too large for a text, ${size}`);
      }
      const bytes = new Uint8Array(source.size);
      await source.read(0, bytes);
      return decodeText(bytes, `${this.name}/${file}`);
    } finally {
      await source.close();
    }
  }
}

/** @throws RidgepointError naming the file where it is not UTF-8 */
export function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new RidgepointError('checkpoint', `${file}: is not UTF-8 text; download it again`, { cause });
  }
}
