import { RidgepointError } from '../errors.js';

export interface StopResult {
  /** Text that is safe to emit: no stop string begins in it. */
  readonly text: string;
  /** The stop string that was completed. Neither it nor anything behind it is ever emitted. */
  readonly stop?: string;
}

/**
 * Looks for stop strings in a text that comes in pieces, and holds back its end while that may be the start of one.
 * The stop string that is complete first wins, however the text is cut into pieces; of those that end together, the
 * longest.
 */
export class StopMatcher {
  private held = '';
  private matched: string | undefined;
  private readonly longest: number;

  /** @throws RidgepointError ('usage') for an empty stop string */
  constructor(private readonly stops: readonly string[]) {
    if (stops.includes('')) throw new RidgepointError('usage', 'A stop string must not be empty.');
    this.longest = Math.max(0, ...stops.map((stop) => stop.length));
  }

  /** Takes the next piece of text. After a match it returns that match and no text, whatever is pushed. */
  push(piece: string): StopResult {
    if (this.matched !== undefined) return { text: '', stop: this.matched };
    const text = this.held + piece;
    let end = Infinity;
    for (const stop of this.stops) {
      const index = text.indexOf(stop);
      if (index < 0) continue;
      const stopEnd = index + stop.length;
      if (stopEnd < end || (stopEnd === end && stop.length > this.matched!.length)) {
        end = stopEnd;
        this.matched = stop;
      }
    }
    if (this.matched !== undefined) {
      this.held = '';
      return { text: text.slice(0, end - this.matched.length), stop: this.matched };
    }
    const safe = this.safeLength(text);
    this.held = text.slice(safe);
    return { text: text.slice(0, safe) };
  }

  /** The text still held back, at the end of a generation that no stop string ended. */
  flush(): string {
    const text = this.held;
    this.held = '';
    return text;
  }

  /** Where the longest suffix begins that is the start of a stop string. */
  private safeLength(text: string): number {
    for (let start = Math.max(0, text.length - this.longest + 1); start < text.length; start++) {
      const suffix = text.slice(start);
      if (this.stops.some((stop) => stop.startsWith(suffix))) return start;
    }
    return text.length;
  }
}
