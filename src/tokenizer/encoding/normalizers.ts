import type { Finder } from '../../patterns/search.js';
import { isObject, malformed, TOKENIZER_FILE } from '../files.js';
import { byteLevelText } from './byte-level.js';
import { CharsMap } from './charsmap.js';
import { normalForm } from './canonical.js';
import { patternFinder } from './pattern-finder.js';
import { literal, Parts, PlainFinder } from './splits.js';
import { stretches } from './stretches.js';

/** Rewrites a text before it is cut up; each yield is a place where the work may be left for a while. */
export type Normalizer = (text: string) => Generator<void, string>;

/** What rewrites a text by its beginning or end alone. */
function immediate(rewrite: (text: string) => string): Normalizer {
  return function* (text) {
    return rewrite(text);
  };
}

/** What rewrites each character by itself. */
function byCharacter(rewrite: (text: string) => string): Normalizer {
  return function* (text) {
    let result = '';
    for (const stretch of stretches(text)) {
      result += rewrite(stretch);
      yield;
    }
    return result;
  };
}

/** Puts `content` in the place of all that is found. */
function replacing(finder: () => Finder, content: string): Normalizer {
  return function* (text) {
    const parts = new Parts(finder(), false);
    parts.open(text);
    let result = '';
    for (let since = 0; ;) {
      const more = parts.next();
      if (more === false) return result;
      if (more === true) result += parts.match ? content : text.slice(parts.begin, parts.end);
      if (more === true && ++since < STEP) continue;
      since = 0;
      yield;
    }
  };
}

/** Replacements between two pauses. */
const STEP = 2048;

// `White_Space` is what Rust trims; JavaScript trims U+FEFF too.
const LEADING = /^\p{White_Space}+/u;
const BLANK = /\p{White_Space}/u;

function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && (text.charCodeAt(end - 1) === 0x20 || BLANK.test(text[end - 1]))) end--;
  return text.slice(0, end);
}

const NMT_DROPPED = /[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]/g;
const NMT_BLANK = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g;

/** Reads the `normalizer` of a `tokenizer.json`. @throws RidgepointError naming one that is not supported */
export function normalizerOf(config: unknown): Normalizer | undefined {
  if (config === null || config === undefined) return undefined;
  if (!isObject(config)) malformed(TOKENIZER_FILE, `normalizer ${JSON.stringify(config)} is not an object`);
  switch (config['type']) {
    case 'Sequence': {
      const list = config['normalizers'];
      if (!Array.isArray(list)) malformed(TOKENIZER_FILE, 'a "normalizer" of type "Sequence" must list "normalizers"');
      const steps = list.map(normalizerOf).filter((step) => step !== undefined);
      return function* (text) {
        for (const step of steps) text = yield* step(text);
        return text;
      };
    }
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD': {
      const form = config['type'];
      return (text) => normalForm(text, form);
    }
    case 'Prepend': {
      const prefix = String(config['prepend']);
      return immediate((text) => (text === '' ? text : prefix + text));
    }
    case 'Replace': {
      const pattern = isObject(config['pattern']) ? config['pattern'] : {};
      const content = config['content'];
      if (typeof content !== 'string') return unsupported(config);
      if (typeof pattern['String'] === 'string') {
        const sought = pattern['String'];
        // A unit by itself is never cut.
        if (/^[^\ud800-\udfff]$/.test(sought)) return byCharacter((text) => text.replaceAll(sought, () => content));
        return replacing(() => new PlainFinder(literal(sought)), content);
      }
      if (typeof pattern['Regex'] !== 'string') return unsupported(config);
      return replacing(patternFinder(pattern['Regex']), content);
    }
    case 'Lowercase':
      // Character by character, as in Rust: a final sigma is not told from another.
      return byCharacter((text) => text.replace(/\P{Lowercase}/gu, (character) => character.toLowerCase()));
    case 'Strip': {
      const { strip_left: left, strip_right: right } = config;
      return immediate((text) => {
        const begun = left === true ? text.replace(LEADING, '') : text;
        return right === true ? trimEnd(begun) : begun;
      });
    }
    case 'StripAccents':
      return byCharacter((text) => text.replace(/\p{M}/gu, ''));
    case 'Nmt':
      return byCharacter((text) => text.replace(NMT_DROPPED, '').replace(NMT_BLANK, ' '));
    case 'ByteLevel':
      return byCharacter(byteLevelText);
    case 'Precompiled': {
      const encoded = config['precompiled_charsmap'];
      if (encoded === null || encoded === undefined) return undefined;
      const map = charsMap(encoded);
      return (text) => map.replace(text);
    }
  }
  return unsupported(config);
}

function charsMap(encoded: unknown): CharsMap {
  try {
    return new CharsMap(String(encoded));
  } catch (error) {
    return malformed(TOKENIZER_FILE, '"precompiled_charsmap" of the normalizer is damaged; download it again', error);
  }
}

function unsupported(config: object): never {
  malformed(TOKENIZER_FILE, `normalizer ${JSON.stringify(config).slice(0, 200)} is not supported`);
}
