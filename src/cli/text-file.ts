import { RidgepointError } from '../errors.js';
import { codeOf } from '../platform/node/disk.js';
import { readWhole, UnreadableFile } from '../platform/node/read-whole.js';
import { stopSignal } from './run.js';

/**
 * The text of bytes: UTF-8, or UTF-16 that says so by its mark. Marks are dropped; line ends of Windows become plain
 * ones, since a separator or a template is meant by its lines, and so do those of a text that has carriage returns alone.
 *
 * @param source what the bytes are of, for the error
 * @throws RidgepointError for other encodings, such as Latin-1, which nothing tells apart from one another
 */
export function textOf(bytes: Uint8Array, source: string): string {
  const [a, b, c, d] = bytes;
  if ((a === 0xff && b === 0xfe && c === 0 && d === 0) || (a === 0 && b === 0 && c === 0xfe && d === 0xff)) {
    throw new RidgepointError('usage', `${source}: is UTF-32 text; convert it, as with "iconv -f utf-32 -t utf-8"`);
  }
  const encoding = a === 0xff && b === 0xfe ? 'utf-16le' : a === 0xfe && b === 0xff ? 'utf-16be' : 'utf-8';
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    const advice = 'convert it, as with "iconv -f latin1 -t utf-8" if it is Latin-1';
    const what = encoding === 'utf-8' ? 'is not UTF-8 text' : 'is damaged UTF-16';
    throw new RidgepointError('usage', `${source}: ${what}; ${advice}`, { cause });
  }
  if (text.includes('\0')) {
    const advice = 'convert it, as with "iconv -f utf-16le -t utf-8", if it is UTF-16 without a mark';
    throw new RidgepointError('usage', `${source}: holds zero bytes and is no text; ${advice}`);
  }
  return text.includes('\n') ? text.replaceAll('\r\n', '\n') : text.replaceAll('\r', '\n');
}

/** The text of a file that a user names. @param source the option and the file, for errors @throws RidgepointError */
export async function readTextFile(path: string, source = path): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readWhole(path, { signal: stopSignal });
  } catch (cause) {
    stopSignal.throwIfAborted();
    const code = codeOf(cause);
    const why =
      code === 'ENOENT'
        ? 'there is no such file'
        : cause instanceof UnreadableFile
          ? cause.message
          : `it cannot be read (${code})`;
    throw new RidgepointError('usage', `${source}: ${why}`, { cause });
  }
  return textOf(bytes, source);
}
