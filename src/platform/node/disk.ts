import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';

/**
 * The calls of the file system that write, and those that writing needs, each a property of its own: a test can have any
 * of them fail.
 */
export const disk = { mkdir, open, readdir, readFile, rename, rm, stat, utimes };

/** What Node calls the failure of a call of the operating system. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

export function isAbsent(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied; check who may write there',
  EPERM: 'permission denied; check who may write there',
  EROFS: 'the disk can only be read; choose another',
  ENOSPC: 'the disk is full; free some space or choose another disk',
  EDQUOT: 'your quota is used up; free some space or choose another disk',
  EFBIG: 'the file is larger than this disk or "ulimit -f" allows; choose another disk or raise the limit',
  EIO: 'the disk reports an error; check it, or choose another',
  EMFILE: 'too many files are open; raise the limit with "ulimit -n"',
  ENFILE: 'too many files are open; close some programs',
  ENOMEM: 'there is no memory left; close some programs',
  ENOTDIR: 'a file is in the way; choose another folder',
  EEXIST: 'a file is in the way; choose another folder',
  EISDIR: 'a folder is in the way; choose another name',
  ENAMETOOLONG: 'the name is too long; choose a shorter one',
  ELOOP: 'its links lead in a circle; choose another',
};

/** Why something cannot be written, in words that a user can act on; the system's own for what is rare. */
export function whyUnwritable(error: unknown): string {
  return REASONS[codeOf(error) ?? ''] ?? (error as Error).message;
}
