import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { codeOf } from './disk.js';

/** More than any text that a command reads. */
const MOST_BYTES = 512 << 20;
const PIECE = 64 << 10;
/** How long a pipe without a writer, or without news, is left alone, in milliseconds. */
const POLL = 20;

/** A file that a command was pointed to and that is none, or more than can be read; other failures are the system's. */
export class UnreadableFile extends Error {}

/**
 * All bytes of a file that a user names; a pipe will do, as of `<(command)`. Opening never waits for a pipe's writer, as
 * the system's call does, which no signal ends.
 *
 * @throws UnreadableFile for what is neither a file nor a pipe or holds more than `most` bytes, the system's error where
 *   it cannot be read, the signal's reason when aborted
 */
export async function readWhole(
  path: string,
  { most = MOST_BYTES, signal }: { most?: number; signal?: AbortSignal } = {},
): Promise<Buffer> {
  const handle = await openUnblocked(path);
  try {
    const info = await handle.stat();
    if (info.isDirectory()) throw new UnreadableFile('it is a folder, not a file');
    const waits = info.isFIFO() || info.isCharacterDevice() || info.isSocket();
    const pieces: Buffer[] = [];
    let total = 0;
    let begun = !info.isFIFO();
    for (;;) {
      signal?.throwIfAborted();
      const piece = await readPiece(handle, waits ? PIECE : Math.min(Math.max(info.size - total, 0) + 1, 16 << 20));
      if (piece === undefined || (piece.length === 0 && !begun)) {
        begun ||= piece === undefined; // a writer is there
        await new Promise((resolve) => setTimeout(resolve, POLL));
        continue;
      }
      if (piece.length === 0) return Buffer.concat(pieces, total);
      begun = true;
      pieces.push(piece);
      total += piece.length;
      if (total > most) throw new UnreadableFile(`it holds more than ${Math.round(most / (1 << 20))} MiB`);
    }
  } finally {
    await handle.close();
  }
}

/** Opens a file to be read without waiting for the other end of a pipe. */
export function openUnblocked(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
}

/** Undefined where there is nothing yet. */
async function readPiece(handle: FileHandle, size: number): Promise<Buffer | undefined> {
  const into = Buffer.allocUnsafe(size);
  try {
    const { bytesRead } = await handle.read(into, 0, size, null);
    return into.subarray(0, bytesRead);
  } catch (error) {
    if (codeOf(error) === 'EAGAIN') return undefined;
    throw error;
  }
}
