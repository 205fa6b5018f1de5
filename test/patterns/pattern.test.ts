import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { normalForm, type NormalForm } from '../../src/tokenizer/encoding/canonical.js';
import { compilePattern } from '../../src/patterns/javascript.js';
import { Search, type Finder } from '../../src/patterns/search.js';
import { Parts, PlainFinder } from '../../src/tokenizer/encoding/splits.js';
import { Tokenizer } from '../../src/tokenizer/tokenizer.js';
import { random } from '../reference/compare.js';
import { scaled } from '../support/scale.js';
import { repositoryPath } from '../reference/load.js';

/** Patterns that `tokenizer.json` files hold, as JavaScript writes them, and everything else that may stand in one. */
const PATTERNS = [
  /(?:'[sS]|'[tT]|'[rR][eE])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+/gu,
  /[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lo}\p{M}]*[\p{Ll}\p{Lo}\p{M}]+(?:'[sS])?|[\p{Lu}\p{Lo}]+[\p{Ll}]*|\p{N}{1,3}|\s+(?!\S)|\s+/gu,
  /\s+(?:(?=\n)|(?![\s\S]))/gu,
  /(?:a+)+b|(?:a|a?)+c|(a*)*b|(?:(?:ab)*a)*b/gu,
  /(?<=\p{Nd}{2})x|(?<!a)b|(?<=a.*)c/gu,
  /(?=.*b)a|(?!a*b)[ab]|(?=(?:a|b)+c)b/gu,
  /\bab\b|\Ba\B|^a|b$/gu,
  /^a|b$/gmu,
  /a{2,4}?b|a{2}|b{1,}?a|(?:ab?){2,3}|c??a/gu,
  /(?:(?!(?:(?=(?:[\p{Nd}]|[^\p{L}]))[\s\S]))[\s\S])+/gu,
  /[\u{1f600}-\u{1f64f}]+|\u{1F642}x|[^\u{1f642}]a|\ud83d\ude42./gu,
  /AB|[a-c]+é/giu,
  /a.c|.b/gsu,
  /(?<name>a)(?:)|(b)|[\]\\]+|\/|[^]a|\x61\u0062/gu,
  /()|a/gu,
];
const ALPHABET = [
  ...'aaabbbcABxé1 23',
  ' ',
  '\n',
  '\r',
  '\u2028',
  "'s",
  '🙂',
  '一',
  'ب',
  ']',
  '\\',
  '/',
  'ab',
  '\ud800',
];

const all = (text: string, finder: Finder): string[] => {
  const found: string[] = [];
  const parts = new Parts(finder, false);
  parts.open(text);
  for (let more = parts.next(); more !== false; more = parts.next()) {
    if (more) found.push(`${parts.begin}-${parts.end}${parts.match ? '!' : ''}`);
  }
  return found;
};

describe('patterns of a model’s file', () => {
  it.each(PATTERNS)('%s finds what JavaScript finds', (pattern) => {
    const program = compilePattern(pattern);
    const search = new Search(program);
    const numbers = random(7);
    for (let i = 0; i < scaled(4000); i++) {
      const text = Array.from(numbers.uniform(1 + (i % 24), 0, ALPHABET.length), (x) => ALPHABET[Math.floor(x)]).join(
        '',
      );
      expect([text, all(text, search)]).toEqual([text, all(text, new PlainFinder(pattern))]);
    }
  });

  it.each([
    ['(?:a+)+b', 'a'],
    ['(a|a?)+c', 'a'],
    ['(a*)*b', 'a'],
    ['\\s+$', ' '],
    ['(x+x+)+y', 'x'],
    ['(?:.*a){12}b', 'a'],
    ['(?=.*b)a', 'a'],
  ])('%s takes a time that grows with the text, not with its square', (pattern, letter) => {
    const program = compilePattern(new RegExp(pattern, 'gu'));
    const pauses = (length: number): number => {
      const search = new Search(program);
      search.open(`${letter.repeat(length)}!`);
      let count = 0;
      while (search.next(0) === undefined) count++;
      expect(search.next(length + 1)).toBe(false);
      return count;
    };
    const few = pauses(20_000);
    expect(pauses(80_000)).toBeLessThan(4 * few + 8);
  });

  it('are refused by name where they refer back, or are too long', () => {
    const tinyTales = JSON.parse(readFileSync(repositoryPath('models/tiny-tales/tokenizer.json'), 'utf8')) as object;
    const withPattern = (Regex: string) => {
      const split = { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false };
      return () => Tokenizer.fromJson({ ...tinyTales, pre_tokenizer: split }, {}).encode('a');
    };
    expect(withPattern('(a)\\1')).toThrow(/pattern "\(a\)\\\\1" cannot be used here: it refers back/);
    expect(withPattern('(?:a{1,1000}){1,1000}')).toThrow(/has more than 8192 parts/);
    expect(withPattern('(')).toThrow(/cannot be used here/);
  });
});

describe('normal forms', () => {
  const MARKS = [...'\u0301\u0316\u0334\u0323\u0345\u094d\u3099\u05b0\u0e38\u0f71\u035c\u0344\u0f73\u09be\u0bd7'];
  const LETTERS = [
    ...'ae\u1100\u1161\u11a8\uac00\u09c7\u0b47\u304b\uff76\uff9e\ufb01\u1e69\u00e9=<🙂',
    '\u0958',
    '\u2126',
  ];
  const forms: NormalForm[] = ['NFC', 'NFD', 'NFKC', 'NFKD'];

  const whole = (text: string, form: NormalForm): string => {
    const steps = normalForm(text, form);
    for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
  };

  it.each(forms)('%s is JavaScript’s own', (form) => {
    const numbers = random(11);
    const pick = (count: number, list: readonly string[]): string =>
      Array.from(numbers.uniform(count, 0, list.length), (x) => list[Math.floor(x)]).join('');
    for (let i = 0; i < scaled(600); i++) {
      let text = '';
      for (let k = 0; k < 5; k++) text += pick(k, LETTERS) + pick((i * (k + 3)) % 90, MARKS);
      if (i % 20 === 0) text += pick(20_000, LETTERS) + pick(400, MARKS) + pick(20_000, [...LETTERS, ...MARKS]);
      expect(whole(text, form) === text.normalize(form)).toBe(true);
    }
  });
});
