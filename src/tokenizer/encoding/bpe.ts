import { malformed, TOKENIZER_FILE, type TokenizerJson } from '../files.js';
import { drained, type EncodingModel } from './model.js';
import { ByteTokens } from './byte-tokens.js';
import { Heap } from './heap.js';
import { PairMap } from './pair-map.js';
import { Remembered } from './remembered.js';

/** Up to so many symbols, looking at all pairs again beats a heap. */
const FEW = 24;
/** Merges of a long word between two steps. */
const STEP = 1024;
/** The same where each is only looked at. */
const LOOKS = 16_384;
/** A key of the heap is rank * POSITIONS + position; both together stay below 2^53. */
const POSITIONS = 2 ** 31;

/** Byte-pair encoding: of all neighbours that merge, those of the lowest rank do first, the leftmost of equals. */
export class Bpe implements EncodingModel {
  readonly #vocab: ReadonlyMap<string, number>;
  /** Rank of the merge of two ids. */
  readonly #ranks: PairMap;
  /** Rank to the id that the merge gives. */
  readonly #merged: Int32Array;
  readonly #bytes: ByteTokens | undefined;
  readonly #unknown: number | undefined;
  readonly #fuseUnknown: boolean;
  readonly #whole: boolean;
  readonly #prefix: string;
  readonly #suffix: string;
  readonly #known = new Remembered<readonly number[]>();
  /** What merges give, where no merge can happen between neighbours that none of it holds. */
  readonly #products: readonly string[] | undefined;
  #joined: PairMap | undefined;

  constructor({ model }: TokenizerJson, vocab: ReadonlyMap<string, number>) {
    this.#vocab = vocab;
    this.#prefix = (model['continuing_subword_prefix'] as string | null | undefined) ?? '';
    this.#suffix = (model['end_of_word_suffix'] as string | null | undefined) ?? '';
    this.#whole = model['ignore_merges'] === true;
    this.#fuseUnknown = model['fuse_unk'] === true;
    const unknown = model['unk_token'];
    this.#unknown = typeof unknown === 'string' ? vocab.get(unknown) : undefined;
    if (typeof unknown === 'string' && this.#unknown === undefined) {
      malformed(TOKENIZER_FILE, `"model.unk_token" is ${JSON.stringify(unknown)}, which the vocabulary lacks`);
    }
    if (model['byte_fallback'] === true) {
      this.#bytes = new ByteTokens((token) => vocab.get(token));
    }
    const merges = model['merges'] as readonly unknown[];
    this.#ranks = new PairMap(merges.length);
    this.#merged = new Int32Array(merges.length);
    const products: string[] = [];
    for (const [rank, merge] of merges.entries()) {
      const [left, right] = this.#parts(merge, rank);
      const product = left + right.slice(this.#prefix.length);
      const [a, b, id] = [vocab.get(left), vocab.get(right), vocab.get(product)];
      if (a === undefined || b === undefined || id === undefined) {
        const lost = a === undefined ? left : b === undefined ? right : product;
        const what = `"model.merges" ${rank} joins ${JSON.stringify(left)} and ${JSON.stringify(right)}`;
        return malformed(TOKENIZER_FILE, `${what}, but the vocabulary has no ${JSON.stringify(lost)}`);
      }
      this.#ranks.set(a, b, rank);
      this.#merged[rank] = id;
      products.push(product);
    }
    const plain = this.#prefix === '' && this.#suffix === '' && !products.some((product) => product.includes('<0x'));
    this.#products = plain ? products : undefined;
  }

  #parts(merge: unknown, rank: number): readonly [string, string] {
    const parts: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
    if (Array.isArray(parts) && parts.length === 2 && parts.every((part) => typeof part === 'string')) {
      return parts as unknown as [string, string];
    }
    return malformed(TOKENIZER_FILE, `"model.merges" ${rank} must be two tokens, found ${JSON.stringify(merge)}`);
  }

  /** Longer words are cut where no merge can happen, in place of merging them whole. */
  readonly longest = 512;

  encode(word: string, into: number[]): void {
    if (this.#whole) {
      const id = this.#vocab.get(word);
      if (id !== undefined) {
        into.push(id);
        return;
      }
    }
    this.#word(word, into);
  }

  *steps(word: string, into: number[]): Generator<void, void> {
    const id = this.#whole ? this.#vocab.get(word) : undefined;
    if (id !== undefined) into.push(id);
    // A short text does without the table of neighbours, which takes milliseconds to make.
    else if (word.length <= FEW) this.#word(word, into);
    else if (this.#products === undefined) yield* this.#longWord(word, into);
    else yield* this.#parted(word, (this.#joined ??= yield* neighbours(this.#products)), into);
  }

  /** @param joined units that some merge joins */
  *#parted(word: string, joined: PairMap, into: number[]): Generator<void, void> {
    let begin = 0;
    let since = 0;
    for (let i = 1; i <= word.length; i++) {
      const mayJoin = (): boolean => joined.get(word.charCodeAt(i - 1), word.charCodeAt(i)) >= 0;
      if (++since >= STEP) {
        since = 0;
        yield;
      }
      if (i < word.length && (mayJoin() || !this.#bothKnown(word, i))) continue;
      const part = word.slice(begin, i);
      if (part.length > this.longest) yield* this.#longWord(part, into);
      else this.#word(part, into);
      begin = i;
    }
  }

  /** Whether the characters on both sides are of the vocabulary, so that neither is fused with its neighbour. */
  #bothKnown(word: string, at: number): boolean {
    return this.#vocab.has(word[at - 1]) && this.#vocab.has(word[at]);
  }

  #word(word: string, into: number[]): void {
    const known = this.#known.get(word) ?? this.#known.set(word, this.#merge(word));
    for (const id of known) into.push(id);
  }

  #merge(word: string): readonly number[] {
    const ids: number[] = [];
    this.#symbols(word, word.length, { at: 0, unknownBefore: false }, ids);
    return ids.length <= FEW ? this.#mergeFew(ids) : drained(this.#mergeMany(ids));
  }

  *#longWord(word: string, into: number[]): Generator<void, void> {
    const ids: number[] = [];
    const state = { at: 0, unknownBefore: false };
    for (;;) {
      this.#symbols(word, Math.min(word.length, state.at + STEP), state, ids);
      yield;
      if (state.at >= word.length) break;
    }
    const merged = yield* this.#mergeMany(ids);
    for (const [i, id] of merged.entries()) {
      into.push(id);
      if (i % LOOKS === LOOKS - 1) yield;
    }
  }

  /** Ids of a word's characters up to a place, before any are merged. */
  #symbols(word: string, to: number, state: { at: number; unknownBefore: boolean }, ids: number[]): void {
    while (state.at < to) {
      const { at } = state;
      const character = String.fromCodePoint(word.codePointAt(at)!);
      const end = at + character.length;
      const piece = `${at > 0 ? this.#prefix : ''}${character}${end === word.length ? this.#suffix : ''}`;
      state.at = end;
      const id = this.#vocab.get(piece);
      if (id !== undefined) {
        ids.push(id);
        state.unknownBefore = false;
      } else if (this.#bytes?.push(piece, ids) === true) {
        state.unknownBefore = false;
      } else if (this.#unknown !== undefined) {
        if (!state.unknownBefore || !this.#fuseUnknown) ids.push(this.#unknown);
        state.unknownBefore = true;
      }
    }
  }

  #mergeFew(ids: number[]): readonly number[] {
    for (;;) {
      let best = -1;
      let at = -1;
      for (let i = 1; i < ids.length; i++) {
        const rank = this.#ranks.get(ids[i - 1], ids[i]);
        if (rank >= 0 && (best < 0 || rank < best)) {
          best = rank;
          at = i;
        }
      }
      if (at < 0) return ids;
      ids[at - 1] = this.#merged[best];
      for (let i = at + 1; i < ids.length; i++) ids[i - 1] = ids[i];
      ids.pop();
    }
  }

  *#mergeMany(symbols: readonly number[]): Generator<void, readonly number[]> {
    const ids = new Int32Array(symbols);
    const count = ids.length;
    const next = new Int32Array(count);
    const previous = new Int32Array(count);
    const heap = new Heap(3 * count);
    const offer = (at: number): void => {
      if (at < 0 || next[at] >= count) return;
      const rank = this.#ranks.get(ids[at], ids[next[at]]);
      if (rank >= 0) heap.push(rank * POSITIONS + at);
    };
    for (let i = 0; i < count; i++) {
      next[i] = i + 1;
      previous[i] = i - 1;
      offer(i);
      if (i % STEP === STEP - 1) yield;
    }
    for (let merges = 1; heap.size > 0; merges++) {
      if (merges % STEP === 0) yield;
      const key = heap.pop();
      const at = key % POSITIONS;
      const id = this.#merged[(key - at) / POSITIONS];
      const right = next[at];
      if (ids[at] < 0 || right >= count) continue;
      const rank = this.#ranks.get(ids[at], ids[right]);
      // A pair that was there when the merge was found may have become another.
      if (rank < 0 || this.#merged[rank] !== id) continue;
      ids[at] = id;
      ids[right] = -1;
      next[at] = next[right];
      if (next[at] < count) previous[next[at]] = at;
      offer(previous[at]);
      offer(at);
    }
    const merged: number[] = [];
    for (let at = 0; at < count; at = next[at]) {
      merged.push(ids[at]);
      if (merged.length % LOOKS === 0) yield;
    }
    return merged;
  }
}

/** Pairs of neighbouring units inside any of the words. */
function* neighbours(words: readonly string[]): Generator<void, PairMap> {
  const found = new PairMap();
  for (const [i, word] of words.entries()) {
    for (let at = 1; at < word.length; at++) found.set(word.charCodeAt(at - 1), word.charCodeAt(at), 1);
    if (i % STEP === STEP - 1) yield;
  }
  return found;
}
