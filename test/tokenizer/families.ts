import { readFileSync } from 'node:fs';
import { repositoryPath } from '../reference/load.js';
import { llama2Folder, readJson, storiesFolder } from './folders.js';
import { byteCharacter, charsmap } from './charsmap.js';

/** A `tokenizer.json` of one of the kinds that Llama checkpoints come with. */
export interface Family {
  readonly name: string;
  readonly json: Record<string, unknown>;
}

type Json = Record<string, unknown>;

const sample = ['README.md', 'docs/using.md', 'docs/architecture.md', 'docs/serving.md']
  .map((file) => readFileSync(repositoryPath(file), 'utf8'))
  .join('\n');
const foreign = 'Die Größe übertrifft déjà 東京と京都 서울에서 мир и труд שלום 12 345 67 ½ x² naïve 🙂🙂 👩‍💻 \n\n\t';
const words = (sample + foreign.repeat(20)).match(/\s?[^\s]+|\s+/gu)!;

/** Byte-pair merges of words by their counts, as a trainer makes them. */
function trained(spell: (word: string) => string[], count: number): { vocab: string[]; merges: [string, string][] } {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const spelt = [...counts].map(([word, times]) => ({ symbols: spell(word), times }));
  const vocab = new Set(spelt.flatMap(({ symbols }) => symbols));
  const merges: [string, string][] = [];
  const pairs = new Map<string, { times: number; readonly words: Set<number> }>();
  const tally = (word: number, sign: 1 | -1): void => {
    const { symbols, times } = spelt[word];
    for (let i = 1; i < symbols.length; i++) {
      const name = `${symbols[i - 1]}\0${symbols[i]}`;
      let pair = pairs.get(name);
      if (pair === undefined) pairs.set(name, (pair = { times: 0, words: new Set() }));
      pair.times += sign * times;
      pair.words.add(word);
    }
  };
  for (const word of spelt.keys()) tally(word, 1);
  while (merges.length < count) {
    let best = '';
    let most = 0;
    for (const [name, { times }] of pairs) if (times > most) [best, most] = [name, times];
    if (best === '') break;
    const [left, right] = best.split('\0');
    merges.push([left, right]);
    vocab.add(left + right);
    for (const word of pairs.get(best)!.words) {
      tally(word, -1);
      const { symbols } = spelt[word];
      for (let i = 1; i < symbols.length; i++) {
        if (symbols[i - 1] === left && symbols[i] === right) symbols.splice(i - 1, 2, left + right);
      }
      tally(word, 1);
    }
  }
  return { vocab: [...vocab], merges };
}

const added = (id: number, content: string, options: Json = {}): Json => ({
  ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
  ...options,
});

const utf8 = new TextEncoder();
const byteLevelMerges = trained((word) => [...utf8.encode(word)].map(byteCharacter), 600);
const metaspaceMerges = trained((word) => [...word.replaceAll(' ', '▁')], 600);
const byteTokens = Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`);

function file(parts: Json): Json {
  return {
    ...{ version: '1.0', truncation: null, padding: null, normalizer: null, pre_tokenizer: null },
    ...{ post_processor: null, ...parts },
  };
}

/** Byte-level BPE. */
function byteLevel(parts: Json, model: Json = {}, tokens: Json[] = []): Json {
  const alphabet = Array.from({ length: 256 }, (_, byte) => byteCharacter(byte));
  const pieces = [...new Set([...alphabet, ...byteLevelMerges.vocab])];
  const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]));
  const list = tokens.length > 0 ? tokens : [added(0, '<|begin_of_text|>'), added(0, '<|eot_id|>')];
  return file({
    added_tokens: list.map((token, i) => ({ ...token, id: pieces.length + i })),
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      ...{ type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null },
      ...{ fuse_unk: false, byte_fallback: false, ignore_merges: false, vocab, merges: byteLevelMerges.merges },
      ...model,
    },
    ...parts,
  });
}

const split = (regex: string, behavior = 'Isolated', invert = false): Json => ({
  ...{ type: 'Split', pattern: { Regex: regex }, behavior, invert },
});
const sequence = (...pretokenizers: Json[]): Json => ({ type: 'Sequence', pretokenizers });
const bytesOnly = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
const LLAMA3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const metaspaceDecoder = {
  type: 'Sequence',
  decoders: [
    { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    { type: 'Strip', content: ' ', start: 1, stop: 0 },
  ],
};
const llamaSpecials = [added(0, '<unk>'), added(1, '<s>'), added(2, '</s>')];

/** SentencePiece's BPE. */
function metaspace(parts: Json, model: Json = {}): Json {
  const pieces = [...new Set(['<unk>', '<s>', '</s>', ...byteTokens, ...metaspaceMerges.vocab])];
  const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]));
  return file({
    added_tokens: llamaSpecials,
    decoder: metaspaceDecoder,
    model: {
      ...{ type: 'BPE', dropout: null, unk_token: '<unk>', continuing_subword_prefix: null, end_of_word_suffix: null },
      ...{ fuse_unk: true, byte_fallback: true, ignore_merges: false, vocab, merges: metaspaceMerges.merges },
      ...model,
    },
    ...parts,
  });
}

/** SentencePiece's unigram model; scores fall with the place in the vocabulary. */
function unigram(parts: Json, byteFallback: boolean): Json {
  const pieces = [...new Set([...metaspaceMerges.vocab, '▁▁', 'ab', 'abc', '東京', '🙂🙂'])];
  // Sixty-fourths, whose sums are exact: Rust's parser may be off by a last bit where a number has many digits, and the
  // last bit decides between ways to cut a text that score alike.
  const exact = (score: number): number => Math.round(64 * score) / 64;
  const scored = pieces.map((piece, i) => [piece, exact(-2 - ((i * 7919) % 1000) / 97 - 1 / [...piece].length)]);
  const vocab = [['<unk>', 0], ['<s>', 0], ['</s>', 0], ...(byteFallback ? byteTokens : []).map((t) => [t, -30])];
  return file({
    added_tokens: llamaSpecials,
    decoder: metaspaceDecoder,
    model: { type: 'Unigram', unk_id: 0, vocab: [...vocab, ...scored], byte_fallback: byteFallback },
    ...parts,
  });
}

const blank = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
const space = (prepend_scheme: string, splits: boolean): Json => ({
  ...{ type: 'Metaspace', replacement: '▁', prepend_scheme, split: splits },
});
const spaceDecoder = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };

const real: Family[] = [
  { name: 'tiny-tales', json: readJson(repositoryPath('models/tiny-tales/tokenizer.json')) as Json },
  ...(llama2Folder === undefined
    ? []
    : [{ name: 'llama-2', json: readJson(`${llama2Folder}/tokenizer.json`) as Json }]),
  ...(storiesFolder === undefined
    ? []
    : [{ name: 'stories260K metaspace', json: readJson(`${storiesFolder}/tokenizer-metaspace.json`) as Json }]),
];

export const families: readonly Family[] = [
  ...real,
  {
    name: 'Llama 3',
    json: byteLevel({ pre_tokenizer: sequence(split(LLAMA3), bytesOnly) }, { ignore_merges: true }),
  },
  {
    name: 'Qwen, added tokens that strip',
    json: byteLevel(
      {
        normalizer: { type: 'NFC' },
        pre_tokenizer: sequence(split(LLAMA3.replace('{1,3}', '')), bytesOnly),
      },
      {},
      [
        added(0, '<|im_start|>'),
        added(0, '<|im_end|>', { lstrip: true }),
        added(0, '<|eot_id|>', { rstrip: true }),
        added(0, '<tool>', { special: false, single_word: true }),
        added(0, 'é tool', { special: false, normalized: true }),
        added(0, '[INST]', { special: false, normalized: true, single_word: true, lstrip: true, rstrip: true }),
      ],
    ),
  },
  {
    name: 'SmolLM',
    json: byteLevel({
      pre_tokenizer: sequence({ type: 'Digits', individual_digits: true }, { ...bytesOnly, use_regex: true }),
    }),
  },
  {
    name: 'DeepSeek',
    json: byteLevel({
      pre_tokenizer: sequence(
        split('[\\r\\n]'),
        split('\\s?[A-Za-zµÀ-ÖØ-öø-ƺа-яё]+'),
        split('\\s?[!-/:-~！-／：-～‘-‟　-。]+'),
        split('\\s+$'),
        split('[一-龥ࠀ-一가-퟿]+'),
        { type: 'Digits', individual_digits: false },
        bytesOnly,
      ),
    }),
  },
  {
    name: 'every way to split',
    json: byteLevel({
      pre_tokenizer: sequence(
        split('[,;]', 'MergedWithPrevious'),
        split('[.!?]', 'MergedWithNext'),
        split('[aeiou]', 'Contiguous'),
        split('\\w+|\\s+', 'Removed', true),
        split('(?=[A-Z])'),
        { type: 'Punctuation', behavior: 'Contiguous' },
        { ...bytesOnly, add_prefix_space: true },
      ),
    }),
  },
  {
    name: 'Llama 2, small',
    json: metaspace({ normalizer: { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, blank] } }),
  },
  {
    name: 'BPE without byte fallback',
    json: metaspace({ normalizer: blank }, { byte_fallback: false }),
  },
  {
    name: 'BPE that does not fuse the unknown',
    json: metaspace({ pre_tokenizer: space('never', false) }, { byte_fallback: false, fuse_unk: false }),
  },
  { name: 'metaspace, first', json: metaspace({ pre_tokenizer: space('first', false) }) },
  { name: 'metaspace, first, split', json: metaspace({ pre_tokenizer: space('first', true) }) },
  {
    name: 'metaspace, always, split',
    json: metaspace({ pre_tokenizer: space('always', true), decoder: spaceDecoder }),
  },
  {
    name: 'Unigram with byte fallback',
    json: unigram({ normalizer: blank, pre_tokenizer: space('first', false) }, true),
  },
  {
    name: 'T5',
    json: unigram(
      { pre_tokenizer: sequence({ type: 'WhitespaceSplit' }, space('always', true)), decoder: spaceDecoder },
      false,
    ),
  },
  {
    name: 'XLM-R',
    json: unigram(
      {
        normalizer: {
          type: 'Sequence',
          normalizers: [
            { type: 'Precompiled', precompiled_charsmap: charsmap({ '\r': ' ', '\n': ' ', '½': '1/2', '²': '2', 'ﬁ': 'fi', '\u3000': ' ', '\u0085': ' ', '\u00a0': ' ', 'e\u0301': 'é', '\u0007': '' }) }, // prettier-ignore
            { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
            { type: 'Strip', strip_left: false, strip_right: true },
          ],
        },
        pre_tokenizer: space('always', true),
        decoder: spaceDecoder,
      },
      true,
    ),
  },
  {
    name: 'lower case, no accents',
    json: unigram(
      {
        normalizer: {
          type: 'Sequence',
          normalizers: [{ type: 'Nmt' }, { type: 'NFKD' }, { type: 'StripAccents' }, { type: 'Lowercase' }],
        },
        pre_tokenizer: sequence({ type: 'BertPreTokenizer' }, space('always', true)),
        decoder: spaceDecoder,
      },
      true,
    ),
  },
];
