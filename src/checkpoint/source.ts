/** A file that is read in pieces: on a disk, behind HTTP ranges, or in memory. */
export interface FileSource {
  /** The file's name for error messages, without its folder. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /**
   * Fills `into` with the bytes from `offset` on. Several reads may be in flight at once.
   *
   * @throws RidgepointError('checkpoint') naming the file, if the bytes are not all there
   */
  read(offset: number, into: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** A model's folder: `config.json`, the tokenizer's files and the checkpoint. */
export interface ModelFolder {
  /** The folder's name for error messages. */
  readonly name: string;
  /** Opens a file of this folder; undefined if there is none of that name. */
  open(file: string): Promise<FileSource | undefined>;
  /** The whole of a small UTF-8 file; undefined if there is none of that name. */
  readText(file: string): Promise<string | undefined>;
  /** Names of what is directly inside, folders with a slash behind; absent where the platform cannot tell. */
  list?(): Promise<string[]>;
  /** A folder directly inside; undefined if there is none of that name. Absent where nothing in such is read. */
  within?(folder: string): Promise<ModelFolder | undefined>;
}

/** Whether `file` names a file directly inside a folder: no separators, no `..`, no drive letters, no control bytes. */
export function isPlainFileName(file: string): boolean {
  return file !== '' && file !== '.' && file !== '..' && !/[/\\:\u0000-\u001f]/.test(file);
}

/** A name out of a file as an error message may show it: cut short, and with nothing a terminal would act on. */
export function printable(name: string): string {
  const short = name.length > 120 ? `${name.slice(0, 117)}...` : name;
  return short.replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
