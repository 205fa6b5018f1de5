import { expect, it } from 'vitest';
import type { TextEngine } from '../../src/engine/api.js';
import { tokenRules } from '../../src/serving/mapping/token-rules.js';

/** A token a letter, from 3 letters and a blank. */
const engine = {
  config: { vocab: 4 },
  tokenize: (text: string) => [...text].map((letter) => ' abc'.indexOf(letter)),
} as unknown as TextEngine;

it('words that must not be written end at no text, as a plain search has it', async () => {
  let seed = 1;
  const draw = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
  const text = (length: number): string => Array.from({ length }, () => 'abc '[draw(4)]).join('');
  for (let round = 0; round < 40; round++) {
    const words = Array.from({ length: 1 + draw(5) }, () => `a${text(draw(4))}`);
    const rules = (await tokenRules({ bad_words: words }, engine))(undefined)!;
    let written = '';
    for (let at = 0; at < 12; at++) {
      const [mask] = rules.allowed();
      for (const id of [0, 1, 2, 3]) {
        const then = written + ' abc'[id];
        const isBad = words.some((word) => then.endsWith(word));
        expect([then, words, (mask >> id) & 1]).toEqual([then, words, isBad ? 0 : 1]);
      }
      const next = draw(4);
      rules.accept(next);
      written += ' abc'[next];
    }
  }
});
