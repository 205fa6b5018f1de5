import { tell } from './output.js';

/** What is needed of a stream to know how it may be written to. */
export interface Sink {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** A terminal whose lines can be rewritten; `TERM=dumb` is one that cannot. */
export function isRewritable(sink: Sink): boolean {
  return sink.isTTY === true && process.env.TERM !== 'dumb';
}

/** Dimmed where the terminal can and the user did not set `NO_COLOR` (https://no-color.org). */
export function dim(text: string, sink: Sink = process.stderr): string {
  return isRewritable(sink) && !process.env.NO_COLOR ? `\x1b[2m${text}\x1b[22m` : text;
}

/** One remark for the user on standard error, apart from the text on standard output. */
export function remark(text: string): void {
  tell(text, (shown) => `${dim(shown)}\n`);
}
