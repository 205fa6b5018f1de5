import { malformed, TOKENIZER_FILE, type TokenizerJson } from '../files.js';
import { ByteTokens } from './byte-tokens.js';
import { drained, type EncodingModel } from './model.js';
import { Remembered } from './remembered.js';
import { stretches } from './stretches.js';
import { Trie } from './trie.js';

/** How much worse than the worst piece an unknown character is; SentencePiece's constant. */
const UNKNOWN_PENALTY = 10;
/** Characters between two steps, and the same where each is only looked at. */
const STEP = 512;
const LOOKS = 8192;

/** Of the best way to each place of a text: its score, where its last piece begins, and that piece's id, or -1 if unknown. */
class Lattice {
  readonly scores: Float64Array;
  readonly begins: Int32Array;
  readonly ids: Int32Array;
  /** Of each place on the best way, the next. */
  readonly nexts: Int32Array;

  constructor(length: number) {
    this.scores = new Float64Array(length + 1);
    this.begins = new Int32Array(length + 1);
    this.ids = new Int32Array(length + 1);
    this.nexts = new Int32Array(length + 1);
  }
}

/** SentencePiece's unigram model: of all ways to cut a text into pieces, the one whose scores add up to the most. */
export class Unigram implements EncodingModel {
  readonly #trie: Trie;
  readonly #ids = new Map<string, number>();
  readonly #scores: Float64Array;
  readonly #unknown: number | undefined;
  readonly #unknownScore: number;
  readonly #bytes: ByteTokens | undefined;
  readonly #known = new Remembered<readonly number[]>();
  readonly longest = 512;
  /** For words that are encoded at once. */
  readonly #lattice = new Lattice(this.longest);

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
      this.#bytes = new ByteTokens((token) => this.#ids.get(token));
    }
  }

  encode(word: string, into: number[]): void {
    const known = this.#known.get(word) ?? this.#known.set(word, this.#word(word));
    for (const id of known) into.push(id);
  }

  #word(word: string): readonly number[] {
    const ids: number[] = [];
    drained(this.#best(word, this.#lattice, ids));
    return ids;
  }

  *steps(text: string, into: number[]): Generator<void, void> {
    yield* this.#best(text, new Lattice(text.length), into);
  }

  *#best(text: string, { scores, begins, ids, nexts }: Lattice, into: number[]): Generator<void, void> {
    const { length } = text;
    begins.fill(-1, 0, length + 1);
    scores[0] = 0;
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
    for (let end = length, steps = 1; end > 0; end = begins[end], steps++) {
      nexts[begins[end]] = end;
      if (steps % LOOKS === 0) yield;
    }
    for (let at = 0, steps = 1; at < length; steps++) {
      if (steps % LOOKS === 0) yield;
      let end = nexts[at];
      const id = ids[end];
      if (id >= 0 && id !== this.#unknown) into.push(id);
      else {
        // Neighbours of which none is known are one, where there is a token for them.
        for (; end < length && this.#unknown !== undefined; end = nexts[end], steps++) {
          const after = ids[nexts[end]];
          if (after >= 0 && after !== this.#unknown) break;
          if (steps % LOOKS === 0) yield;
        }
        yield* this.#unknownPiece(text.slice(at, end), into);
      }
      at = end;
    }
  }

  *#unknownPiece(piece: string, into: number[]): Generator<void, void> {
    const known = this.#ids.get(piece);
    if (known !== undefined) into.push(known);
    else if (this.#bytes?.has(piece) === true) {
      for (const stretch of stretches(piece)) {
        this.#bytes.push(stretch, into);
        if (stretch.length < piece.length) yield;
      }
    } else if (this.#unknown !== undefined) into.push(this.#unknown);
    else malformed(TOKENIZER_FILE, `"model.unk_id" is missing, and ${JSON.stringify(piece)} has no token`);
  }
}
