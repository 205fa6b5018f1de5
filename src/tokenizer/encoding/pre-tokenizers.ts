import type { Finder } from '../../patterns/search.js';
import { isObject, malformed, TOKENIZER_FILE } from '../files.js';
import { ByteSpelling } from './byte-level.js';
import { Chain, type Cutter } from './cutter.js';
import { patternFinder } from './pattern-finder.js';
import { BEHAVIOURS, literal, PlainFinder, Splitter, type Behaviour } from './splits.js';

/** Makes what cuts texts into words; each of those that work at the same time wants its own. */
export type PreTokenizer = () => Cutter;

type Json = Record<string, unknown>;

const PUNCTUATION = '\\p{P}\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e';
const BYTE_LEVEL =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}';

const splitAt =
  (finder: () => Finder, behaviour: Behaviour, invert = false): PreTokenizer =>
  () =>
    new Splitter(finder(), behaviour, invert);

const split = (regex: RegExp, behaviour: Behaviour, invert = false): PreTokenizer =>
  splitAt(() => new PlainFinder(regex), behaviour, invert);

const chain =
  (steps: readonly PreTokenizer[]): PreTokenizer =>
  () =>
    new Chain(steps.map((step) => step()));

/** Reads the `pre_tokenizer` of a `tokenizer.json`. @throws RidgepointError naming one that is not supported */
export function preTokenizerOf(config: unknown): PreTokenizer | undefined {
  if (config === null || config === undefined) return undefined;
  if (!isObject(config)) malformed(TOKENIZER_FILE, `pre-tokenizer ${JSON.stringify(config)} is not an object`);
  switch (config['type']) {
    case 'Sequence': {
      const list = config['pretokenizers'];
      if (!Array.isArray(list)) {
        malformed(TOKENIZER_FILE, 'a "pre_tokenizer" of type "Sequence" must list "pretokenizers"');
      }
      const steps = list.map(preTokenizerOf).filter((step) => step !== undefined);
      return steps.length === 0 ? undefined : chain(steps);
    }
    case 'ByteLevel':
      return byteLevel(config);
    case 'Metaspace':
      return metaspace(config);
    case 'Split':
      return splitBy(config);
    case 'Digits':
      return split(/\p{N}/gu, config['individual_digits'] === true ? 'Isolated' : 'Contiguous');
    case 'Punctuation':
      return split(new RegExp(`[${PUNCTUATION}]`, 'gu'), behaviourOf(config, 'Isolated'));
    case 'Whitespace':
      return split(new RegExp(`[${WORD}]+|[^${WORD}\\p{White_Space}]+`, 'gu'), 'Removed', true);
    case 'WhitespaceSplit':
      return split(/\p{White_Space}/gu, 'Removed');
    case 'BertPreTokenizer': {
      const words = split(/\p{White_Space}/gu, 'Removed');
      const marks = split(new RegExp(`[${PUNCTUATION}]`, 'gu'), 'Isolated');
      return chain([words, marks]);
    }
    case 'CharDelimiterSplit':
      return split(literal(String(config['delimiter'])), 'Removed');
  }
  return unsupported(config);
}

function byteLevel({ add_prefix_space: prefixed, use_regex: matches = true }: Json): PreTokenizer {
  const spelling = new ByteSpelling();
  return () => new ByteLevel(spelling, prefixed !== false, matches === true);
}

/** Words in GPT-2's alphabet of bytes. */
class ByteLevel implements Cutter {
  readonly #splitter: Splitter | undefined;
  #whole: string | null = null;
  /** A long word that is being spelt. */
  #spelt: Generator<void, string> | undefined;
  readonly #spelling: ByteSpelling;
  readonly #prefixed: boolean;

  constructor(spelling: ByteSpelling, prefixed: boolean, matches: boolean) {
    this.#spelling = spelling;
    this.#prefixed = prefixed;
    this.#splitter = matches ? new Splitter(new PlainFinder(BYTE_LEVEL), 'Isolated', false) : undefined;
  }

  open(piece: string): void {
    const text = this.#prefixed && !piece.startsWith(' ') ? ` ${piece}` : piece;
    this.#spelt = undefined;
    if (this.#splitter === undefined) this.#whole = text;
    else this.#splitter.open(text);
  }

  next(): string | undefined | null {
    if (this.#spelt === undefined) {
      const word = this.#splitter === undefined ? this.#whole : this.#splitter.next();
      this.#whole = null;
      if (word === undefined || word === null || word === '') return word;
      if (word.length <= this.#spelling.longest) return this.#spelling.of(word);
      this.#spelt = this.#spelling.steps(word);
    }
    const { done, value } = this.#spelt.next();
    if (done !== true) return undefined;
    this.#spelt = undefined;
    return value;
  }
}

function metaspace(config: Json): PreTokenizer {
  const { replacement = '▁', prepend_scheme: scheme, add_prefix_space: prefixed, split: splits = true } = config;
  if (typeof replacement !== 'string') return unsupported(config);
  return () =>
    new Metaspace(replacement, splits === true, (first) =>
      scheme === 'first' ? first : scheme !== 'never' && prefixed !== false,
    );
}

/** Words that begin with a sign for the blank before them. */
class Metaspace implements Cutter {
  readonly #splitter: Splitter;
  #whole: string | null = null;
  readonly #replacement: string;
  readonly #splits: boolean;
  readonly #prefixed: (begins: boolean) => boolean;

  constructor(replacement: string, splits: boolean, prefixed: (begins: boolean) => boolean) {
    this.#replacement = replacement;
    this.#splits = splits;
    this.#prefixed = prefixed;
    this.#splitter = new Splitter(new PlainFinder(literal(replacement)), 'MergedWithNext', false);
  }

  open(piece: string, begins: boolean): void {
    let text = piece.replaceAll(' ', () => this.#replacement);
    if (this.#prefixed(begins) && !text.startsWith(this.#replacement)) text = this.#replacement + text;
    if (this.#splits) this.#splitter.open(text);
    else this.#whole = text;
  }

  next(): string | undefined | null {
    if (this.#splits) return this.#splitter.next();
    const whole = this.#whole;
    this.#whole = null;
    return whole;
  }
}

function splitBy(config: Json): PreTokenizer {
  const pattern = isObject(config['pattern']) ? config['pattern'] : {};
  const behaviour = behaviourOf(config, undefined);
  const invert = config['invert'] === true;
  if (typeof pattern['String'] === 'string') return split(literal(pattern['String']), behaviour, invert);
  if (typeof pattern['Regex'] !== 'string') return unsupported(config);
  return splitAt(patternFinder(pattern['Regex']), behaviour, invert);
}

function behaviourOf(config: Json, otherwise: Behaviour | undefined): Behaviour {
  const found = config['behavior'] ?? otherwise;
  const same = (behaviour: Behaviour): boolean => behaviour.toLowerCase() === (found as string).toLowerCase();
  return (typeof found === 'string' ? BEHAVIOURS.find(same) : undefined) ?? unsupported(config);
}

function unsupported(config: object): never {
  malformed(TOKENIZER_FILE, `pre-tokenizer ${JSON.stringify(config).slice(0, 200)} is not supported`);
}
