import { readFileSync } from 'node:fs';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { Tokenizer } from '../../src/tokenizer/tokenizer.js';
import { repositoryPath, sharedData } from '../reference/load.js';

export interface Vector {
  readonly text: string;
  readonly ids: number[];
}

export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** The tokenizer of a folder, and the same files in `@huggingface/tokenizers` as a second opinion on decoding. */
export interface LoadedTokenizer {
  readonly name: string;
  readonly tokenizer: Tokenizer;
  readonly peer: { decode(ids: number[], options: { skip_special_tokens: boolean }): string };
}

function load(name: string, folder: string, file = 'tokenizer.json'): LoadedTokenizer {
  const json = readJson(`${folder}/${file}`);
  const config = readJson(`${folder}/tokenizer_config.json`);
  const Peer = HuggingFaceTokenizer as unknown as new (json: unknown, config: unknown) => LoadedTokenizer['peer'];
  return { name, tokenizer: Tokenizer.fromJson(json, config), peer: new Peer(json, config) };
}

export const storiesFolder = sharedData('models/stories260K');
export const llama2Folder = sharedData('tokenizers/llama-2');

export const tinyTales = load('tiny-tales', repositoryPath('models/tiny-tales'));
export const stories = storiesFolder === undefined ? undefined : load('stories260K', storiesFolder);
export const metaspace =
  storiesFolder === undefined ? undefined : load('stories260K metaspace', storiesFolder, 'tokenizer-metaspace.json');
export const llama2 = llama2Folder === undefined ? undefined : load('llama-2', llama2Folder);

/** A byte-level tokenizer in the manner of Llama 3, small enough to write out: 256 bytes, six merges, two specials. */
export const byteLevel = ((): LoadedTokenizer => {
  const vocab: Record<string, number> = {};
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    vocab[String.fromCharCode(printable ? byte : next++)] = byte;
  }
  const merges = [['h', 'e'], ['Ġ', 't'], ['Ġt', 'he'], ['ð', 'Ł'], ['ðŁ', 'ĺ'], ['ä', '½']]; // prettier-ignore
  merges.forEach((pair, i) => (vocab[pair.join('')] = 256 + i));
  const json = {
    added_tokens: [
      { id: 262, content: '<|begin_of_text|>', special: true, normalized: false },
      { id: 263, content: '<|eot_id|>', special: true, normalized: false },
      { id: 264, content: '<|note é|>', special: false, normalized: false },
    ],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<|begin_of_text|>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [],
      special_tokens: {},
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', vocab, merges },
  };
  const config = { bos_token: '<|begin_of_text|>', eos_token: '<|eot_id|>', clean_up_tokenization_spaces: false };
  const Peer = HuggingFaceTokenizer as unknown as new (json: unknown, config: unknown) => LoadedTokenizer['peer'];
  return { name: 'byte-level', tokenizer: Tokenizer.fromJson(json, config), peer: new Peer(json, config) };
})();

export const allTokenizers = [tinyTales, stories, metaspace, llama2, byteLevel].filter((one) => one !== undefined);

/** Text that goes wrong where bytes, UTF-16 units, characters and what readers call characters are mixed up. */
export const hostileTexts = [
  'The family 👨‍👩‍👧‍👦 waves 👋🏽, 🏳️‍🌈 and 🇨🇭!',
  'e\u0301 a\u0308\u0332 Z\u0351\u036b\u0343 n\u0303', // combining marks
  '你好，世界。 日本語とカタカナ 한국어 한',
  'שלום עולם \u202eright to left\u202c مرحبا بالعالم',
  '\u0000\u0001\u007f\t\r\n  two  blanks   three ',
  '\u00a0\u2003\u3000\u200b\ufeff mark', // odd blanks and a byte order mark
  'ﷺ ﬁ ½ № ℃ 𝔘𝔫𝔦 𐍈 𒀀 \u{10ffff}',
  '<0x41> <0xE4><0xBD> <s >literal pieces</ s>',
  'नमस्ते दुनिया ไทย தமிழ்',
];
