import { TransferError } from '../../../cluster/bring.js';
import type { KvPiece } from '../../../engine/prefill-run.js';

/** How long a worker may send nothing while it owes something. */
const SILENCE_MS = 10_000;

/** Pieces of one transfer that have come and wait to be filed. */
export class Inbox {
  readonly #pieces: { readonly piece: KvPiece; readonly done: () => void }[] = [];
  #end: { readonly error?: Error } | undefined;
  #wake: (() => void) | undefined;

  /** @param done called when the piece's bytes are not needed any more */
  put(piece: KvPiece, done: () => void): void {
    this.#pieces.push({ piece, done });
    this.#wake?.();
  }

  end(error?: Error): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  async *pieces(): AsyncGenerator<KvPiece, void, undefined> {
    for (;;) {
      const next = this.#pieces.shift();
      if (next !== undefined) {
        yield next.piece;
        next.done();
      } else if (this.#end?.error !== undefined) throw this.#end.error;
      else if (this.#end !== undefined) return;
      else {
        const silence = setTimeout(
          () => this.end(new TransferError('silent', `nothing came for ${SILENCE_MS} ms`)),
          SILENCE_MS,
        );
        await new Promise<void>((resolve) => (this.#wake = resolve));
        clearTimeout(silence);
      }
    }
  }
}
