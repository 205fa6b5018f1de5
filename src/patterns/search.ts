import { WAY } from './beginnings.js';
import { OP } from './operations.js';
import type { Program } from './program.js';
import { Stack } from './stack.js';
import { TriedPlaces } from './tried-places.js';

/** Places and ways looked at between two pauses. */
const STEP = 4096;

/** A search in one text after another. */
export interface Finder {
  open(text: string): void;
  /**
   * Looks for the first match from a place on, which is not before the last match's end, and puts it into `begin` and
   * `end`.
   *
   * @returns whether there is one; undefined for a pause: call again with the same place
   */
  next(from: number): boolean | undefined;
  readonly begin: number;
  readonly end: number;
}

/**
 * Finds an expression in a text as JavaScript's own would, its alternatives in their order, in time that grows with the
 * text's length however the expression is made. Where ways part, it notes the instruction and the place: what has
 * failed once fails always, so nothing is tried twice (as in RE2's bit-state search). JavaScript's own takes years for
 * `(a+)+b` and 40 letters, and seconds for `\s+$` and 40,000 blanks.
 */
export class Search implements Finder {
  /** The last match. */
  begin = 0;
  end = 0;
  readonly #ops: Uint8Array;
  readonly #a: Int32Array;
  readonly #b: Int32Array;
  readonly #tried: TriedPlaces;
  /** Where ways part and one of them is known to be what is looked for ahead or behind. */
  #good: TriedPlaces | undefined;
  /** What is still to be tried, the next one last. */
  readonly #stack = new Stack();
  /** Where the match begins that is looked for; -1 between two. */
  #start = -1;
  /** Where `#follow` came to. */
  #at = 0;
  #text = '';
  readonly #program: Program;

  constructor(program: Program) {
    this.#program = program;
    this.#ops = program.ops;
    this.#a = program.a;
    this.#b = program.b;
    this.#tried = new TriedPlaces(program.pages);
  }

  open(text: string): void {
    this.#text = text;
    this.#start = -1;
    this.#stack.clear();
    this.#tried.dropAll();
    this.#good?.dropAll();
  }

  next(from: number): boolean | undefined {
    const text = this.#text;
    const ops = this.#ops;
    const b = this.#b;
    const tried = this.#tried;
    const stack = this.#stack;
    let steps = this.#start < 0 ? this.#begin(from) : 0;
    for (;;) {
      while (stack.size > 0) {
        if (++steps > STEP) return undefined;
        let at = stack.last;
        let pc = stack.instruction;
        if (at > stack.first) stack.last = this.#before(at);
        else stack.pop();
        for (;;) {
          pc = this.#follow(pc, at);
          at = this.#at;
          if (pc === 0) return this.#found(at);
          if (pc < 0) break;
          steps++;
          if (ops[pc] === OP.either) {
            pc = this.#part(pc, at);
            if (pc < 0) break;
            continue;
          }
          const set = this.#program.sets[this.#a[pc]];
          const first = at;
          let last = -1;
          let isNew = tried.add(pc, at);
          for (; isNew && at < text.length && steps <= STEP; steps++) {
            const code = this.#code(at);
            if (!set.has(code)) break;
            last = at;
            at += code > 0xffff ? 2 : 1;
            isNew = tried.add(pc, at);
          }
          if (last >= 0) stack.push(b[pc], first, last);
          if (!isNew) break;
          if (steps > STEP && at < text.length) {
            // It has been noted as tried here; so it is gone on with as if it had just come.
            tried.remove(pc, at);
            stack.push(pc, at, at);
            return undefined;
          }
          pc = b[pc];
        }
      }
      if (this.#start >= text.length) {
        tried.dropAll();
        this.#start = -1;
        return false;
      }
      steps += this.#begin(this.#start + (this.#code(this.#start) > 0xffff ? 2 : 1));
      if (steps > STEP) return undefined;
    }
  }

  /** The place of the character that ends at a place. */
  #before(at: number): number {
    return at - (this.#codeBefore(at) > 0xffff ? 2 : 1);
  }

  /** Begins at a place, or at the next from which a way leads on. @returns steps taken */
  #begin(start: number): number {
    const { begin, beginnings } = this.#program;
    const { length } = this.#text;
    let steps = 1;
    for (; steps < STEP && start < length; steps++) {
      const code = this.#code(start);
      if (beginnings.of(begin, code) !== WAY.none) break;
      start += code > 0xffff ? 2 : 1;
    }
    this.#start = start;
    this.#stack.push(begin, start, start);
    return steps;
  }

  #found(end: number): true {
    this.begin = this.#start;
    this.end = end;
    this.#start = -1;
    this.#stack.clear();
    // On the way to a match are places that have not failed; of those, only the last may be looked at again.
    this.#tried.clear(end);
    if (!this.#program.looksFar) this.#tried.drop(end);
    return true;
  }

  /** Which way to go where two part; the other is left for later where it may lead on as well. */
  #part(pc: number, at: number): number {
    const { beginnings } = this.#program;
    const code = at < this.#text.length ? this.#code(at) : -1;
    const [a, b] = [this.#a[pc], this.#b[pc]];
    const [byA, byB] = [beginnings.of(a, code), beginnings.of(b, code)];
    if (byA === WAY.none || byB === WAY.none) {
      const [way, by] = byA === WAY.none ? [b, byB] : [a, byA];
      if (by === WAY.none) return -1;
      // A way that takes nothing may lead back to here.
      return by === WAY.taking || this.#tried.add(pc, at) ? way : -1;
    }
    if (!this.#tried.add(pc, at)) return -1;
    this.#stack.push(b, at, at);
    return a;
  }

  /** Goes on until ways part, or to the end, which is 0; -1 where there is no way. */
  #follow(pc: number, at: number): number {
    const text = this.#text;
    const { sets } = this.#program;
    for (;;) {
      const op = this.#ops[pc];
      const operand = this.#a[pc];
      switch (op) {
        case OP.one: {
          if (at >= text.length) return -1;
          const code = this.#code(at);
          if (!sets[operand].has(code)) return -1;
          at += code > 0xffff ? 2 : 1;
          break;
        }
        case OP.oneBehind: {
          const code = this.#codeBefore(at);
          if (code < 0 || !sets[operand].has(code)) return -1;
          at -= code > 0xffff ? 2 : 1;
          break;
        }
        case OP.ahead:
        case OP.notAhead:
          if ((at < text.length && sets[operand].has(this.#code(at))) !== (op === OP.ahead)) return -1;
          break;
        case OP.behind:
        case OP.notBehind: {
          const code = this.#codeBefore(at);
          if ((code >= 0 && sets[operand].has(code)) !== (op === OP.behind)) return -1;
          break;
        }
        case OP.finds:
        case OP.findsNot:
          if (this.#finds(operand, at) !== (op === OP.finds)) return -1;
          break;
        default: // accept, either, many
          this.#at = at;
          return pc;
      }
      pc = this.#b[pc];
    }
  }

  /** Whether any way from an instruction and a place leads to an end. */
  #finds(begin: number, from: number): boolean {
    const forks: { readonly pc: number; readonly at: number; readonly parent: number }[] = [];
    const good = (this.#good ??= new TriedPlaces(this.#program.pages));
    const ways = [{ pc: begin, at: from, parent: -1 }];
    for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
      const pc = this.#follow(way.pc, way.at);
      const at = this.#at;
      if (pc < 0) continue;
      if (pc === 0 || good.has(pc, at)) {
        for (let i = way.parent; i >= 0; i = forks[i].parent) good.add(forks[i].pc, forks[i].at);
        return true;
      }
      if (!this.#tried.add(pc, at)) continue;
      const parent = forks.push({ pc, at, parent: way.parent }) - 1;
      ways.push({ pc: this.#b[pc], at, parent });
      if (this.#ops[pc] === OP.either) ways.push({ pc: this.#a[pc], at, parent });
      else if (at < this.#text.length) {
        const code = this.#code(at);
        if (this.#program.sets[this.#a[pc]].has(code)) ways.push({ pc, at: at + (code > 0xffff ? 2 : 1), parent });
      }
    }
    return false;
  }

  #code(at: number): number {
    const unit = this.#text.charCodeAt(at);
    return (unit & 0xfc00) === 0xd800 ? this.#text.codePointAt(at)! : unit;
  }

  /** -1 where the text begins. */
  #codeBefore(at: number): number {
    if (at === 0) return -1;
    const unit = this.#text.charCodeAt(at - 1);
    if ((unit & 0xfc00) !== 0xdc00 || at === 1) return unit;
    const code = this.#text.codePointAt(at - 2)!;
    return code > 0xffff ? code : unit;
  }
}
