import { seedOf } from '../../../src/seed.js';
import { random } from '../../../src/traffic/random.js';
import type { PlannedRequest, Workload } from '../../../src/traffic/workload.js';

/** Common words, which most tokenizers have as a token each. */
const WORDS = (
  'the of and to in is you that it he was for on are as with his they at be this have from or one had by but not what ' +
  'all were we when your can said there use an each which she do how their if will up other about out many then them'
).split(' ');

export function promptWords(count: number, seed: number): string {
  const next = random(seed);
  return Array.from({ length: count }, () => WORDS[Math.floor(next() * WORDS.length)]).join(' ');
}

/** How a server's tokenizer counts words: `base` tokens for any prompt (a template, a first token) and some for each. */
export interface WordTokens {
  readonly base: number;
  readonly perWord: number;
}

/** What English takes where a server does not say. */
export const USUAL: WordTokens = { base: 1, perWord: 1.3 };

/** From the tokens of two texts of `few` and of `many` words. */
export function wordTokens(
  [few, fewTokens]: readonly [words: number, tokens: number],
  [many, manyTokens]: readonly [words: number, tokens: number],
): WordTokens {
  const perWord = (manyTokens - fewTokens) / (many - few);
  return perWord > 0 ? { perWord, base: Math.max(0, fewTokens - few * perWord) } : USUAL;
}

/** Makes the prompts of a workload as text of about as many tokens; what it really was, the server counts. */
export function wordPrompts(
  { base, perWord }: WordTokens,
  { seed, sharedPrefix }: Pick<Workload, 'seed' | 'sharedPrefix'>,
): (request: PlannedRequest) => string {
  const prefix = promptWords(Math.round(sharedPrefix / perWord), seedOf(`${seed} prefix`));
  return ({ index, promptTokens }) => {
    const own = Math.max(1, Math.round((promptTokens - sharedPrefix - base) / perWord));
    const text = promptWords(own, seedOf(`${seed} prompt ${index}`));
    return prefix === '' ? text : `${prefix} ${text}`;
  };
}
