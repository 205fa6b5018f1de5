import { isObject, malformed, TOKENIZER_FILE } from '../files.js';
import { byteLevelText } from './byte-level.js';
import { patternFinder } from './library.js';
import { BEHAVIOURS, literal, plainFinder, splitter, type Behaviour, type Finder } from './splits.js';
import { stretches } from './stretches.js';

/**
 * Cuts pieces of a text into smaller ones, as they are asked for. An empty piece stands for something that was left out
 * where the text begins, undefined for a place where the work may be left for a while.
 *
 * @param begins whether the first piece is where the whole text begins
 */
export type PreTokenizer = (pieces: Iterable<string | undefined>, begins: boolean) => Iterable<string | undefined>;

type Json = Record<string, unknown>;

/** Words of so many UTF-16 units are turned into bytes by stretches. */
const LONG = 16_384;

const PUNCTUATION = '\\p{P}\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e';
const BYTE_LEVEL =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}';

function each(change: (piece: string, first: boolean) => Iterable<string | undefined>): PreTokenizer {
  return function* (pieces, begins) {
    let first = begins;
    for (const piece of pieces) {
      if (piece === undefined) {
        yield piece;
        continue;
      }
      if (piece === '') yield piece;
      else yield* change(piece, first);
      first = false;
    }
  };
}

function splitAt(finderOf: (text: string) => Finder, behaviour: Behaviour, invert = false): PreTokenizer {
  const cut = splitter(finderOf, behaviour, invert);
  return each((piece) => cut(piece));
}

const split = (regex: RegExp, behaviour: Behaviour, invert = false): PreTokenizer =>
  splitAt(plainFinder(regex), behaviour, invert);

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
      return (pieces, begins) => steps.reduce((found, step) => step(found, begins), pieces);
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
      return (pieces, begins) => marks(words(pieces, begins), begins);
    }
    case 'CharDelimiterSplit':
      return split(literal(String(config['delimiter'])), 'Removed');
  }
  return unsupported(config);
}

function byteLevel({ add_prefix_space: prefixed, use_regex: matches = true }: Json): PreTokenizer {
  const cut = splitter(plainFinder(BYTE_LEVEL), 'Isolated', false);
  return each(function* (piece) {
    const text = prefixed !== false && !piece.startsWith(' ') ? ` ${piece}` : piece;
    for (const word of matches === true ? cut(text) : [text]) {
      if (word === undefined || word.length < LONG) {
        yield word && byteLevelText(word);
        continue;
      }
      let bytes = '';
      for (const stretch of stretches(word)) {
        bytes += byteLevelText(stretch);
        yield undefined;
      }
      yield bytes;
    }
  });
}

function metaspace(config: Json): PreTokenizer {
  const { replacement = '▁', prepend_scheme: scheme, add_prefix_space: prefixed, split: splits = true } = config;
  if (typeof replacement !== 'string') return unsupported(config);
  const cut = splitter(plainFinder(literal(replacement)), 'MergedWithNext', false);
  return each((piece, first) => {
    let text = piece.replaceAll(' ', () => replacement);
    const wanted = scheme === 'first' ? first : scheme !== 'never' && prefixed !== false;
    if (wanted && !text.startsWith(replacement)) text = replacement + text;
    return splits === true ? cut(text) : [text];
  });
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
