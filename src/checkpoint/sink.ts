/** A file that is written in pieces, in any order. */
export interface FileSink {
  /** @throws RidgepointError naming the file, if the bytes cannot be written */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Resolves when all of it is where it will survive a crash. */
  close(): Promise<void>;
}

/** Where a model's files are written to. */
export interface ModelSink {
  /** @param file a plain name */
  create(file: string): Promise<FileSink>;
}
