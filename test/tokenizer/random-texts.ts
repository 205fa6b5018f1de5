import { random } from '../reference/compare.js';

const RANGES: readonly (readonly [number, number])[] = [
  [0x00, 0x7f],
  [0x80, 0xff],
  [0x100, 0x17f],
  [0x391, 0x3c9],
  [0x410, 0x44f],
  [0x5d0, 0x5ea],
  [0x620, 0x64a],
  [0x660, 0x669],
  [0x905, 0x939],
  [0x300, 0x36f],
  [0x2000, 0x206f],
  [0x2150, 0x2188],
  [0x2460, 0x249b],
  [0x3041, 0x3096],
  [0x4e00, 0x4fff],
  [0xac00, 0xad00],
  [0xff01, 0xff5e],
  [0x1d400, 0x1d433],
  [0x1f600, 0x1f64f],
  [0x20000, 0x20100], // prettier-ignore
];
const WORDS = [
  'the',
  'and',
  'Ridgepoint',
  'naïve',
  "don't",
  "I'LL",
  'HTTP/1.1',
  '12345',
  'x²',
  '½',
  '٣٤',
  '東京',
  '서울',
  'мир',
  'שלום',
  '👨‍👩‍👧',
  '🇨🇭',
  'e\u0301',
  '\ufeff',
  '\u0085',
  '\u00a0',
  '\u3000',
  '\u200b',
  '\u200d',
  '\u2028',
  '\r\n',
  '\n\n',
  '\t',
  ' ',
  '  ',
  '    ',
  '▁',
  '▁▁',
  '▁a',
  '<0x41>',
  '<0xE4>',
  '<s>',
  '</s>',
  '<unk>',
  '<|eot_id|>',
  '<|im_start|>',
  '<|im_end|>',
  '<|begin_of_text|>',
  '<tool>',
  'é tool',
  '[INST]',
  '[INST',
  'ﬁ',
  'Σ',
  'İ',
  'ß',
  '..',
  ',,',
  '!?',
  'aaaa',
  'ABC',
  '_',
  'Ⅷ',
  '\0',
  '\x07',
  '\x7f', // prettier-ignore
];

/** Texts that are half words of many kinds and half characters of many scripts, the same ones each time. */
export function randomTexts(count: number, seed = 1): string[] {
  const numbers = random(seed);
  const below = (n: number): number => Math.min(n - 1, Math.floor(numbers.uniform(1, 0, n)[0]));
  const character = (): string => {
    const [first, last] = RANGES[below(RANGES.length)];
    return String.fromCodePoint(first + below(last - first + 1));
  };
  return Array.from({ length: count }, () => {
    const length = 1 + below(12);
    return Array.from({ length }, () => {
      const kind = below(10);
      if (kind < 5) return WORDS[below(WORDS.length)];
      if (kind < 7) return ' ';
      return kind < 9 ? character() : character().repeat(below(20));
    }).join('');
  });
}
