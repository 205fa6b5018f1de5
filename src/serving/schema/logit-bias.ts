import * as z from 'zod';

/** As many tokens as OpenAI's API takes. Every choice of a request has a table of its own made from them. */
const MOST_BIASES = 1024;

const TOKEN_ID = /^\d{1,10}$/;

/**
 * `logit_bias`: token ids and what is added to their logits. By hand: zod's record passes over a key `__proto__`, and
 * makes an issue of each wrong one of a million.
 */
export const logitBias = z
  .unknown()
  .transform((value, context): Readonly<Record<number, number>> | undefined => {
    const wrong = (message: string, path: readonly PropertyKey[] = []): never => {
      context.issues.push({ code: 'custom', message, path: [...path], input: undefined });
      return z.NEVER;
    };
    if (value === undefined) return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return wrong('expected an object of token ids and numbers');
    }
    const count = Object.keys(value).length;
    if (count > MOST_BIASES) return wrong(`expected at most ${MOST_BIASES} tokens, found ${count}`);
    const biases: Record<number, number> = {};
    for (const [key, bias] of Object.entries(value) as [string, unknown][]) {
      const shown = key.slice(0, 40);
      if (!TOKEN_ID.test(key)) return wrong('expected a token id', [shown]);
      if (typeof bias !== 'number' || !(bias >= -100 && bias <= 100)) {
        return wrong('expected a number from -100 to 100', [shown]);
      }
      if (Number(key) in biases) return wrong('names the same token twice', [shown]);
      biases[Number(key)] = bias;
    }
    return biases;
  })
  .optional();
