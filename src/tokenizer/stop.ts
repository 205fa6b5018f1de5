import { RidgepointError } from '../errors.js';
import { option, words } from '../wording.js';
import { PairMap } from './encoding/pair-map.js';

export interface StopResult {
  /** Text that is safe to emit: no stop string begins in it. */
  readonly text: string;
  /** The stop string that was completed. Neither it nor anything behind it is ever emitted. */
  readonly stop?: string;
}

const ROOT = 0;

/**
 * The beginnings of all stop strings as states of a machine that reads a text unit by unit (Aho and Corasick, 1975).
 * After each unit it is in the longest beginning that the text ends in.
 */
class Beginnings {
  readonly #next = new PairMap();
  /** Of a state, its length and the longest shorter state that it ends in. */
  readonly depth: number[] = [0];
  readonly #fallback: Int32Array;
  /** Of a state, the index of the longest stop string that it ends in, or -1. */
  readonly stop: number[] = [-1];

  constructor(stops: readonly string[]) {
    const parents = [ROOT];
    const units = [0];
    for (const [index, stop] of stops.entries()) {
      let state = ROOT;
      for (let i = 0; i < stop.length; i++) {
        const unit = stop.charCodeAt(i);
        let next = this.#next.get(state, unit);
        if (next < 0) {
          next = parents.push(state) - 1;
          units.push(unit);
          this.depth.push(i + 1);
          this.stop.push(-1);
          this.#next.set(state, unit, next);
        }
        state = next;
      }
      this.stop[state] = index;
    }
    this.#fallback = new Int32Array(parents.length);
    for (const state of byDepth(this.depth)) {
      if (this.depth[state] < 2) continue;
      const shorter = this.step(this.#fallback[parents[state]], units[state]);
      this.#fallback[state] = shorter;
      if (this.stop[state] < 0) this.stop[state] = this.stop[shorter];
    }
  }

  step(state: number, unit: number): number {
    for (;;) {
      const next = this.#next.get(state, unit);
      if (next >= 0) return next;
      if (state === ROOT) return ROOT;
      state = this.#fallback[state];
    }
  }
}

/** Indices in the order of their depths. */
function byDepth(depths: readonly number[]): Int32Array {
  const ends: number[] = [];
  for (const depth of depths) ends[depth] = (ends[depth] ?? 0) + 1;
  for (let depth = 1; depth < ends.length; depth++) ends[depth] += ends[depth - 1];
  const order = new Int32Array(depths.length);
  for (let i = depths.length - 1; i >= 0; i--) order[--ends[depths[i]]] = i;
  return order;
}

/**
 * Looks for stop strings in a text that comes in pieces, and holds back its end while that may be the start of one.
 * The stop string that is complete first wins, however the text is cut into pieces; of those that end together, the
 * longest. The cost of a piece does not depend on how many there are.
 */
export class StopMatcher {
  readonly #beginnings: Beginnings | undefined;
  #state = ROOT;
  /** As long together as the state. */
  #held: { text: string; hidden: boolean }[] = [];
  #matched: string | undefined;
  readonly #stops: readonly string[];

  /** @throws RidgepointError ('usage') for an empty stop string */
  constructor(stops: readonly string[]) {
    this.#stops = stops;
    if (stops.includes(''))
      throw new RidgepointError('usage', words`${option('stop')} must be a list of strings, none of them empty`);
    if (stops.length > 0) this.#beginnings = new Beginnings(stops);
  }

  /**
   * Takes the next piece of text. After a match it returns that match and no text, whatever is pushed.
   *
   * @param hidden the piece is looked at, but never emitted: a special token
   */
  push(piece: string, hidden = false): StopResult {
    if (this.#matched !== undefined) return { text: '', stop: this.#matched };
    const beginnings = this.#beginnings;
    if (beginnings === undefined) return { text: hidden ? '' : piece };
    let state = this.#state;
    for (let i = 0; i < piece.length; i++) {
      state = beginnings.step(state, piece.charCodeAt(i));
      const index = beginnings.stop[state];
      if (index < 0) continue;
      const stop = (this.#matched = this.#stops[index]);
      this.#held.push({ text: piece.slice(0, i + 1), hidden });
      const text = this.#release(stop.length);
      this.#held = [];
      return { text, stop };
    }
    this.#state = state;
    if (piece !== '') this.#held.push({ text: piece, hidden });
    return { text: this.#release(beginnings.depth[state]) };
  }

  /** The text still held back, at the end of a generation that no stop string ended. */
  flush(): string {
    this.#state = ROOT;
    return this.#release(0);
  }

  /** Gives out what is held, but for so many units at its end. */
  #release(keep: number): string {
    let spare = -keep;
    for (const { text } of this.#held) spare += text.length;
    let released = '';
    while (spare > 0) {
      const { text, hidden } = this.#held[0];
      if (!hidden) released += text.slice(0, spare);
      if (spare < text.length) this.#held[0] = { text: text.slice(spare), hidden };
      else this.#held.shift();
      spare -= text.length;
    }
    return released;
  }
}
