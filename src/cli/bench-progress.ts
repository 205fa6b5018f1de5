import { dim, isRewritable, type Sink } from './style.js';

/** Without a terminal a line comes at most this often. */
const LINE_MS = 10_000;
const REDRAW_MS = 50;

/** Shows on standard error how far a long run has come and when it will be done. */
export class BenchProgress {
  readonly #began = performance.now();
  #drawn = false;
  #lastDrawn = 0;
  #lastLine = performance.now();

  constructor(
    private readonly tell: boolean,
    private readonly sink: Sink = process.stderr,
  ) {}

  readonly report = ({ id, done, total }: { id: string; done: number; total: number }): void => {
    if (total > 0) this.show(progressText(id, done, total, performance.now() - this.#began));
  };

  /** Shows a line in place of the last one. */
  show(text: string): void {
    if (!this.tell) return;
    const now = performance.now();
    if (isRewritable(this.sink)) {
      if (this.#drawn && now - this.#lastDrawn < REDRAW_MS) return;
      this.#lastDrawn = now;
      this.sink.write(`\r${dim(text.slice(0, (this.sink.columns ?? 80) - 1), this.sink)}\x1b[K`);
      this.#drawn = true;
    } else if (now - this.#lastLine >= LINE_MS) {
      this.sink.write(`ridgepoint: ${text}\n`);
      this.#lastLine = now;
    }
  }

  /** Clears the line. */
  end(): void {
    if (this.#drawn) this.sink.write('\r\x1b[K');
    this.#drawn = false;
  }
}

/** For example `12 of 80 runs (15 %), 1 min 20 s left: tpot c128 b4 g32`. */
export function progressText(id: string, done: number, total: number, elapsedMs: number): string {
  const share = `${done} of ${total} runs (${Math.floor((100 * done) / total)} %)`;
  if (done === 0) return `${share}: ${id}`;
  const left = Math.ceil(((elapsedMs / done) * (total - done)) / 1000);
  const clock = left < 60 ? `${left} s` : `${Math.floor(left / 60)} min ${left % 60} s`;
  return `${share}, ${clock} left: ${id}`;
}
