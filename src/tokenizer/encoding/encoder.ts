import { malformed, TOKENIZER_FILE, type AddedToken, type TokenizerJson } from '../files.js';
import { AddedTokens } from './added-tokens.js';
import { Bpe } from './bpe.js';
import type { EncodingModel } from './model.js';
import { normalizerOf, type Normalizer } from './normalizers.js';
import { preTokenizerOf, type PreTokenizer } from './pre-tokenizers.js';
import { Unigram } from './unigram.js';

/** UTF-16 units encoded between two steps. */
const STEP = 2048;

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
    for (const section of this.#written.split(text)) {
      if (section === undefined) {
        yield;
        continue;
      }
      const { begin, end, token } = section;
      if (token !== undefined) into.push(token.id);
      else yield* this.#section(text.slice(begin, end), begin === 0, into);
    }
  }

  *#section(text: string, begins: boolean, into: number[]): Generator<void, void> {
    const normalized = yield* this.#normalize(text);
    let work = 0;
    for (const section of this.#normalized.split(normalized)) {
      if (section === undefined) {
        yield;
        continue;
      }
      const { begin, end, token } = section;
      if (token !== undefined) {
        into.push(token.id);
        continue;
      }
      const part = [normalized.slice(begin, end)];
      for (const word of this.#preTokenizer?.(part, begins && begin === 0) ?? part) {
        if (word === '') continue;
        if (word === undefined) {
          yield;
          continue;
        }
        yield* this.#model.encode(word, into);
        work += word.length;
        if (work < STEP) continue;
        work = 0;
        yield;
      }
    }
  }

  *#normalize(text: string): Generator<void, string> {
    return this.#normalizer === undefined ? text : yield* this.#normalizer(text);
  }
}

function drained<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
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
