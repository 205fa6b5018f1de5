import { malformed, TOKENIZER_FILE, type AddedToken, type TokenizerJson } from '../files.js';
import { AddedTokens } from './added-tokens.js';
import { Bpe } from './bpe.js';
import type { Cutter } from './cutter.js';
import { drained, type EncodingModel } from './model.js';
import { normalizerOf, type Normalizer } from './normalizers.js';
import { preTokenizerOf, type PreTokenizer } from './pre-tokenizers.js';
import { Unigram } from './unigram.js';

/** UTF-16 units encoded between two steps; a word and a section count as some more. */
const STEP = 2048;
const EACH = 4;

/**
 * Text to ids as the Rust library `tokenizers` does it: added tokens are taken out, what is between them is normalised,
 * cut into words, and each word encoded by the model.
 */
export class Encoder {
  readonly #normalizer: Normalizer | undefined;
  readonly #preTokenizer: PreTokenizer | undefined;
  readonly #model: EncodingModel;
  readonly #written: AddedTokens;
  readonly #normalized: AddedTokens;

  /** @throws RidgepointError naming the part of `tokenizer.json` that is malformed or not supported */
  constructor(json: TokenizerJson) {
    this.#normalizer = normalizerOf(json['normalizer']);
    this.#preTokenizer = preTokenizerOf(json['pre_tokenizer']);
    this.#model = modelOf(json);
    const isNormalized = ({ normalized, special }: AddedToken): boolean => normalized ?? special !== true;
    const plain = json.added_tokens.filter((token) => !isNormalized(token));
    this.#written = new AddedTokens(plain.map((token) => [token.content, token]));
    const others = json.added_tokens.filter(isNormalized);
    this.#normalized = new AddedTokens(others.map((token) => [drained(this.#normalize(token.content)), token]));
  }

  encode(text: string): number[] {
    const ids: number[] = [];
    drained(this.steps(text, ids));
    return ids;
  }

  /** Appends a text's ids; each yield is a place where the work may be left for a while. */
  *steps(text: string, into: number[]): Generator<void, void> {
    const cutter = this.#preTokenizer?.();
    let work = 0;
    for (const written of this.#written.split(text)) {
      if (written === undefined) yield;
      else if (written.token !== undefined) {
        into.push(written.token.id);
        work += EACH;
      } else {
        const normalized = yield* this.#normalize(text.slice(written.begin, written.end));
        for (const section of this.#normalized.split(normalized)) {
          if (section === undefined) yield;
          else if (section.token !== undefined) {
            into.push(section.token.id);
            work += EACH;
          } else {
            const { begin, end } = section;
            const begins = written.begin === 0 && begin === 0 && !this.#losesFirst(text);
            work = yield* this.#words(normalized.slice(begin, end), begins, cutter, into, work);
          }
          if (work < STEP) continue;
          work = 0;
          yield;
        }
      }
      if (work < STEP) continue;
      work = 0;
      yield;
    }
  }

  /** Ids of what is between added tokens. @returns the work since the last step */
  *#words(
    text: string,
    begins: boolean,
    cutter: Cutter | undefined,
    into: number[],
    work: number,
  ): Generator<void, number> {
    if (cutter === undefined) {
      yield* this.#model.steps(text, into);
      return work + text.length;
    }
    cutter.open(text, begins);
    for (;;) {
      const word = cutter.next();
      if (word === null) return work;
      if (word === undefined) {
        work = 0;
        yield;
        continue;
      }
      if (word.length > this.#model.longest) yield* this.#model.steps(word, into);
      else if (word !== '') this.#model.encode(word, into);
      work += word.length + EACH;
      if (work < STEP) continue;
      work = 0;
      yield;
    }
  }

  /** Whether normalizing drops a text's first character, so that what is left does not begin the text. */
  #losesFirst(text: string): boolean {
    if (this.#normalizer === undefined || text === '') return false;
    const first = String.fromCodePoint(text.codePointAt(0)!);
    return this.#wholly(`${first}x`) === this.#wholly('x');
  }

  #wholly(text: string): string {
    const steps = this.#normalize(text);
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return value;
    }
  }

  *#normalize(text: string): Generator<void, string> {
    return this.#normalizer === undefined ? text : yield* this.#normalizer(text);
  }
}

function modelOf(json: TokenizerJson): EncodingModel {
  const { vocab } = json.model;
  const type = json.model['type'] ?? (Array.isArray(vocab) ? 'Unigram' : 'BPE');
  if (type === 'Unigram' && Array.isArray(vocab)) return new Unigram(json);
  if (type === 'BPE' && !Array.isArray(vocab)) {
    return new Bpe(json, new Map(Object.entries(vocab as Readonly<Record<string, number>>)));
  }
  return malformed(
    TOKENIZER_FILE,
    `"model" of type ${JSON.stringify(type)} is not supported; Llama tokenizers are "BPE" or "Unigram"`,
  );
}
