import { describe, expect, it } from 'vitest';
import { compileOniguruma } from '../../src/patterns/oniguruma.js';
import { Tokenizer } from '../../src/tokenizer/tokenizer.js';
import { random } from '../reference/compare.js';
import { scaled } from '../support/scale.js';
import { randomTexts } from '../tokenizer/random-texts.js';
import { rust } from '../tokenizer/rust.js';

/** Patterns of known models, and each thing that may stand in one. */
const PATTERNS = [
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s+',
  '[一-龥\\u3040-ゟ゠-ヿ]+|[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+',
  ' ?[^(\\s|[.,!?…。，、।۔،])]+',
  '\\p{L}++|\\s?+\\d',
  '\\p{Han}+|\\p{hiragana}|[\\P{Latin}&&\\p{lu}]|[\\p{Arabic}\\p{^Latin}&&\\p{n}]',
  '[a-z&&[^aeiou]]+|[[:upper:]&&[^A-C]]|[[:^digit:]&&[\\p{L}x]]',
  '[[:alpha:]]{2}|[[:digit:][:space:]]|[^[:punct:]a-m]x',
  '[^a[^b]]|[\\p{^L}&&[^\\s]]+\\P{^Nd}',
  '\\b\\w|\\w\\b|\\B1|[\\W&&[^ ]]|\\H\\h',
  '(?i:[a-c]x|[^e]y|T[H-J]|\\x45é)',
  '^.|.$|\\A\\w|\\w\\z|\\w\\Z',
  '(?<=a)b|(?<!e)n|(?=[A-Z])\\w.|(?>ab|a)c?|(?<name>t)h',
  'a{2}|b{,2}c|\\d{2,}|e{1,2}?r|o{x|l{|s{2}+',
  '[]a]|[a-]|[-b]|[\\d\\-x]|[^\\]]1',
  '\\x{1f600}|[\\x{1f600}-\\x{1f64f}]+|\\u00e9|[\\x61\\u0062]\\t?|\\ca|[\\b\\a\\e]',
  'x|(?:y|)z|(a|b)(?:c|(?:d|e))+|}|\\/|\\-|\\.|]',
];

function replacing(pattern: string): string {
  const alphabet = Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode((byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174 ? byte : 0x100),
  );
  let next = 0x100;
  const vocab = Object.fromEntries(
    alphabet.map((letter, id) => [letter === 'Ā' ? String.fromCharCode(next++) : letter, id]),
  );
  return JSON.stringify({
    ...{ version: '1.0', truncation: null, padding: null, added_tokens: [], post_processor: null },
    normalizer: { type: 'Replace', pattern: { Regex: pattern }, content: '•' },
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    model: { type: 'BPE', vocab, merges: [] },
  });
}

/** Texts of what the patterns speak of, and of letters of many scripts. */
function texts(): string[] {
  const numbers = random(3);
  const parts = [
    ...'aAbBcdeEéhHIinNortTxXyz1 2\n\r\t.,-_[](){}|/&²٣一ゟ',
    "'s",
    '\u0085',
    '\ufeff',
    '🙂',
    '\x01',
    '\x07',
  ];
  const made = Array.from({ length: scaled(300) }, () =>
    Array.from(numbers.uniform(12, 0, parts.length), (x) => parts[Math.floor(x)]).join(''),
  );
  return [...made, ...randomTexts(scaled(300))];
}

describe.skipIf(rust === undefined)('patterns as Oniguruma reads them (skipped without the Rust library)', () => {
  it.each(PATTERNS)('%s', async (pattern) => {
    const json = replacing(pattern);
    const ours = Tokenizer.fromJson(JSON.parse(json), {});
    const theirs = rust!.Tokenizer.fromString(json);
    const tried = texts();
    const expected = (await theirs.encodeBatch(tried, { addSpecialTokens: false })).map((each) => each.getIds());
    const decoded = await theirs.decodeBatch(expected, false);
    const differing = tried.flatMap((text, i) => {
      const found = ours.decode(ours.encode(text, { addSpecialTokens: false }), { skipSpecialTokens: false });
      return found === decoded[i] ? [] : [[text, found, decoded[i]]];
    });
    expect(differing).toEqual([]);
    expect(decoded.some((text, i) => text !== tried[i])).toBe(true);
  });
});

describe('a pattern that cannot be read', () => {
  it.each([
    ['(a', /a group has no end/],
    ['a)', /closes a group/],
    ['[a', /a set has no end/],
    ['[z-a]', /a range ends before it begins/],
    ['[a-\\d]', /a range ends before it begins, or with a set/],
    ['[[:letters:]]', /no set "letters"/],
    ['[a&&]', /a set is empty/],
    ['[[.a.]]', /kind of set/],
    ['(?#a)', /kind of group/],
    ['(a)\\1', /refers back/],
    ['*a', /nothing is there/],
    ['a{3,2}', /ends before it begins/],
    ['\\Ra', /"\\R" is not known/],
    ['[\\R]', /"\\R" is not known in a set/],
    ['a\\', /it ends behind/],
    ['\\p{Nothing}', /its property "Nothing" is not known/],
    [`${'['.repeat(300)}a${']'.repeat(300)}`, /too deep/],
  ])('%s', (pattern, message) => expect(() => compileOniguruma(pattern)).toThrow(message));
});
