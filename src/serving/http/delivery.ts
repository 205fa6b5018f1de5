/** The reader has left, or takes nothing any more. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone';
}

export type Headers = Readonly<Record<string, string>>;

/** Brings an answer to its reader as fast as it is taken. */
export interface Delivery {
  /**
   * The head of an answer of status 200, before all else.
   *
   * @param atOnce whether it goes out now, or with what follows
   */
  head(headers: Headers, atOnce: boolean): void;
  /**
   * Resolves when there is room for more.
   *
   * @throws ReaderGone; ApiError where the request's time is up, or the server stops
   */
  write(text: string): Promise<void>;
  /** `write` of what is short and frequent, without a promise where there is room at once. */
  put(text: string): Promise<void> | undefined;
  /** Says something to a reader that waits, so that its connection is not taken for dead. */
  murmur(text: string): void;
  /** Ends the answer, and resolves when all of it is out. @throws as `write` */
  end(text?: string): Promise<void>;
  /** Ends an answer that was cut short, with some last words if they are taken soon. */
  breakOff(words?: string): Promise<void>;
  /** @throws as `write` */
  assertGoing(): void;
}
