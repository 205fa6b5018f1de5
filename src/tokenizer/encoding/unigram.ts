import { malformed, TOKENIZER_FILE, type TokenizerJson } from '../files.js';
import { byteToken } from './bpe.js';
import type { EncodingModel } from './model.js';
import { Trie } from './trie.js';

/** How much worse than the worst piece an unknown character is; SentencePiece's constant. */
const UNKNOWN_PENALTY = 10;
/** Characters between two steps. */
const STEP = 1024;

const utf8 = new TextEncoder();

/** SentencePiece's unigram model: of all ways to cut a text into pieces, the one whose scores add up to the most. */
export class Unigram implements EncodingModel {
  readonly #trie: Trie;
  readonly #ids = new Map<string, number>();
  readonly #scores: Float64Array;
  readonly #unknown: number | undefined;
  readonly #unknownScore: number;
  readonly #bytes: readonly (number | undefined)[] | undefined;

  constructor({ model }: TokenizerJson) {
    const vocab = model.vocab as readonly unknown[];
    this.#trie = new Trie(4 * vocab.length);
    this.#scores = new Float64Array(vocab.length);
    let worst = Infinity;
    for (const [id, entry] of vocab.entries()) {
      const [piece, score] = Array.isArray(entry) ? (entry as unknown[]) : [];
      if (typeof piece !== 'string' || typeof score !== 'number') {
        malformed(TOKENIZER_FILE, `"model.vocab" ${id} must be a piece and its score`);
      }
      this.#ids.set(piece, id);
      if (piece !== '') this.#trie.add(piece, id);
      this.#scores[id] = score;
      worst = Math.min(worst, score);
    }
    this.#unknownScore = worst - UNKNOWN_PENALTY;
    const unknown = model['unk_id'];
    if (unknown !== undefined && unknown !== null && !(typeof unknown === 'number' && unknown < vocab.length)) {
      malformed(TOKENIZER_FILE, `"model.unk_id" is ${JSON.stringify(unknown)} of ${vocab.length} pieces`);
    }
    this.#unknown = unknown ?? undefined;
    if (model['byte_fallback'] === true) {
      this.#bytes = Array.from({ length: 256 }, (_, byte) => this.#ids.get(byteToken(byte)));
    }
  }

  *encode(text: string, into: number[]): Generator<void, void> {
    const length = text.length;
    // Of the best way to each place: its score, where its last piece begins, and that piece's id, or -1 if unknown.
    const scores = new Float64Array(length + 1);
    const begins = new Int32Array(length + 1).fill(-1);
    const ids = new Int32Array(length + 1);
    const reach = (from: number, to: number, id: number, score: number): void => {
      const sum = scores[from] + score;
      if (begins[to] >= 0 && sum <= scores[to]) return;
      scores[to] = sum;
      begins[to] = from;
      ids[to] = id;
    };
    for (let at = 0, steps = 1; at < length; steps++) {
      if (steps % STEP === 0) yield;
      const width = text.codePointAt(at)! > 0xffff ? 2 : 1;
      let single = false;
      let node: number = Trie.root;
      for (let end = at; end < length;) {
        node = this.#trie.step(node, text.charCodeAt(end++));
        if (node < 0) break;
        const id = this.#trie.valueAt(node);
        if (id < 0) continue;
        reach(at, end, id, this.#scores[id]);
        single ||= end - at === width;
      }
      if (!single) reach(at, at + width, -1, this.#unknownScore);
      at += width;
    }
    const pieces: [number, number][] = []; // from the last to the first; unknown neighbours are one
    for (let end = length; end > 0; end = begins[end]) {
      if (end % STEP === 0) yield;
      const id = ids[end] === -1 ? (this.#unknown ?? -1) : ids[end];
      const last = pieces.at(-1);
      if (id === this.#unknown && last?.[1] === -2) last[0] = begins[end];
      else pieces.push([begins[end], id === this.#unknown || id === -1 ? -2 : id]);
    }
    let at = 0;
    for (let i = pieces.length - 1; i >= 0; i--) {
      const end = i === 0 ? length : pieces[i - 1][0];
      const [, id] = pieces[i];
      if (id >= 0) into.push(id);
      else this.#pushUnknown(text.slice(at, end), into);
      at = end;
      if (i % STEP === 0) yield;
    }
  }

  #pushUnknown(piece: string, into: number[]): void {
    const known = this.#ids.get(piece);
    if (known !== undefined) {
      into.push(known);
      return;
    }
    if (this.#bytes !== undefined) {
      const ids = [...utf8.encode(piece)].map((byte) => this.#bytes![byte]);
      if (ids.every((id) => id !== undefined)) {
        for (const id of ids) into.push(id);
        return;
      }
    }
    if (this.#unknown === undefined) {
      malformed(TOKENIZER_FILE, `"model.unk_id" is missing, and ${JSON.stringify(piece)} has no token`);
    }
    into.push(this.#unknown);
  }
}
