import { afterAll, describe, expect, it } from 'vitest';
import { Tokenizer } from '../../src/tokenizer/tokenizer.js';
import { bestTurn, cpu } from '../support/turns.js';
import { families } from './families.js';
import { randomTexts } from './random-texts.js';
import { rust } from './rust.js';

/** What is promised, on a machine where the known loop takes 20 ms. */
const LIMIT_MS = 20;
const filled = (text: string, length: number): string => text.repeat(Math.ceil(length / text.length)).slice(0, length);
const english = 'Once upon a time, a little girl named Lily went to the garden with 123 big red balls!\n';

/** Texts as long as a request may be, of what takes each part of a tokenizer longest. */
const TEXTS: [string, string][] = [
  ['words', english],
  ['one letter', 'a'],
  ['one capital', 'A'],
  ['blanks', ' '],
  ['blanks before a character', `${' '.repeat(60_000)}一`],
  ['line ends', '\n'],
  ['marks behind one letter', '\u0301\u0316'],
  ['ideographs', '東京都'],
  ['Hangul', '서울'],
  ['faces', '🙂'],
  ['digits', '1'],
  ['punctuation', '!?'],
  ['special tokens', '<s>'],
  ['beginnings of special tokens', '<|im_start'],
  ['accents to be composed', 'e\u0301'],
  ['many kinds', randomTexts(2000).join('')],
];
const LENGTH = 65_536;
const KINDS = /^(tiny|Llama 3|Qwen|DeepSeek|every|Llama 2, small|Unigram|XLM)/;

describe('a text of 64 kB holds nobody up', () => {
  const rows: string[] = [];
  afterAll(() => process.stdout.write(`longest turns of tokenizing: ${rows.join('; ')}\n`));

  it.each(families.filter(({ name }) => KINDS.test(name)))('$name', async ({ name, json }) => {
    const tokenizer = Tokenizer.fromJson(json, {});
    tokenizer.prepare();
    let worst = 0;
    for (const [kind, text] of TEXTS) {
      const whole = filled(text, LENGTH);
      const turn = await bestTurn(LIMIT_MS, () => tokenizer.encodeInSlices(whole, { addSpecialTokens: false }));
      worst = Math.max(worst, turn);
      expect.soft([kind, turn < LIMIT_MS ? 'short' : turn]).toEqual([kind, 'short']);
    }
    rows.push(`${name} ${worst.toFixed(0)} ms`);
  });
});

describe.skipIf(rust === undefined)(
  '64 kB take less than twice as long as in Rust (skipped without its binary)',
  () => {
    const rows: string[] = [];
    afterAll(() => process.stdout.write(`times Rust's computing: ${rows.join('; ')}\n`));

    it.each(families)('$name', async ({ name, json }) => {
      const ours = Tokenizer.fromJson(json, {});
      const theirs = rust!.Tokenizer.fromString(JSON.stringify(json));
      const texts = [english, randomTexts(300).join(' ')].map((text) => filled(text, 65_536));
      const [mine, rusts] = [texts.map(() => Infinity), texts.map(() => Infinity)];
      for (let round = 0; round < 8; round++) {
        for (const [i, text] of texts.entries()) {
          const begin = cpu();
          ours.encode(text.slice(round), { addSpecialTokens: false });
          const middle = cpu();
          await theirs.encode(text.slice(round), null, { addSpecialTokens: false });
          mine[i] = Math.min(mine[i], middle - begin);
          rusts[i] = Math.min(rusts[i], cpu() - middle);
        }
      }
      const ratios = mine.map((time, i) => time / rusts[i]);
      rows.push(`${name} ${ratios.map((ratio) => ratio.toFixed(2)).join(' and ')}`);
      for (const ratio of ratios) expect(ratio).toBeLessThan(2);
    });
  },
);
