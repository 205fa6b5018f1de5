import { seedOf } from '../src/seed.js';
import { random } from '../src/traffic/random.js';

/** What making a prompt needs of an engine. */
export interface PromptSource {
  readonly config: { readonly vocab: number };
  readonly hasTokenizer: boolean;
  tokenize(text: string): number[];
  detokenize(ids: readonly number[]): string;
}

/** `length` token ids; equal seeds give equal ids. */
export function randomIds(vocab: number, length: number, seed: number): number[] {
  const next = random(seed);
  return Array.from({ length }, () => Math.floor(next() * vocab));
}

const TRIES = 40;

/**
 * A text of random words that is exactly `length` tokens, special tokens included, or undefined where none was found:
 * tokenizers merge across what was cut, so the length has to be tried.
 */
export function randomText(source: PromptSource, length: number, seed: number): string | undefined {
  const next = random(seed);
  const known = wordsOf(source);
  const words = Array.from({ length: length + 1 }, () => known[Math.floor(next() * known.length)]);
  // As many words as still fit; then a word in other places until it fits exactly.
  let low = 0;
  let high = words.length;
  const text = (count: number): string => words.slice(0, count).join(' ');
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (source.tokenize(text(middle)).length <= length) low = middle;
    else high = middle - 1;
  }
  for (let attempt = 0, candidate = text(low); attempt < TRIES; attempt++) {
    const found = source.tokenize(candidate).length;
    if (found === length) return candidate;
    candidate = found > length ? candidate.slice(0, -1) : `${candidate}${'abcdefgh'[Math.floor(next() * 8)]}`;
  }
  return undefined;
}

const WORDS = 1000;
const words = new WeakMap<object, string[]>();

/** Words out of the model's own vocabulary, looked up once. */
function wordsOf(source: PromptSource): string[] {
  let found = words.get(source);
  if (found === undefined) {
    const { vocab } = source.config;
    const next = random(seedOf('words'));
    const ids = Array.from({ length: Math.min(vocab, 8 * WORDS) }, () => Math.floor(next() * vocab));
    const list = new Set(ids.map((id) => source.detokenize([id]).trim()));
    found = [...list].filter((word) => /^[a-z]{2,}$/.test(word)).slice(0, WORDS);
    if (found.length === 0) found = ['a'];
    words.set(source, found);
  }
  return found;
}
