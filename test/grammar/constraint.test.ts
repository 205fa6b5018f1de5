import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RidgepointError } from '../../src/errors.js';
import { compileJsonConstraint } from '../../src/grammar/index.js';
import type { TokenVocabulary } from '../../src/tokenizer/vocabulary.js';
import { isFull, scaled } from '../support/scale.js';
import { plain, samples } from './schemas.js';
import { allowedIds, awkward, idOfByte, isAllowed, takes, vocabularies } from './vocabularies.js';

/** Few runs are the same ones each time, so that chance does not decide about shares of them. */
const always = { endOnFailure: true, ...(isFull ? {} : { seed: 20 }) };

const decoder = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

const isDate = (text: string): boolean => {
  const date = new Date(`${text}T00:00:00Z`);
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(date.valueOf()) && date.toISOString().startsWith(text);
};
const ajv = new Ajv2020({
  strict: false,
  allErrors: false,
  formats: {
    date: isDate,
    'date-time': (text: string) => isDate(text.slice(0, 10)) && !Number.isNaN(Date.parse(text)),
    uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
  },
});

/** Chooses among the allowed tokens until the end; after `wild` tokens mostly those that end values. */
function randomWalk(
  schema: unknown,
  vocabulary: TokenVocabulary,
  random: () => number,
  wild: number,
): string | undefined {
  const constraint = compileJsonConstraint(schema, vocabulary).create();
  const closing = [...'"]}'].map((char) => idOfByte(vocabulary, char.charCodeAt(0)));
  const bytes: number[] = [];
  for (let step = 0; ; step++) {
    const ids = allowedIds(constraint);
    if (ids.length === 0) throw new Error(`a dead end after ${Buffer.from(bytes).toString()}`);
    const eos = ids.includes(vocabulary.eosIds[0]);
    if (eos && (ids.length === 1 || step > wild || random() < 0.2)) break;
    if (step > wild + 400) return undefined; // lost in a text that must still come to match a pattern
    const soon = closing.find((id) => ids.includes(id));
    const texts = ids.filter((id) => !vocabulary.eosIds.includes(id));
    const id =
      soon !== undefined && random() < (step > wild ? 0.8 : 0.1) ? soon : texts[Math.floor(random() * texts.length)];
    constraint.accept(id);
    bytes.push(...vocabulary.bytes(id)!);
  }
  constraint.accept(vocabulary.eosIds[0]);
  expect(allowedIds(constraint)).toEqual([...vocabulary.eosIds]);
  return decoder.decode(Uint8Array.from(bytes));
}

/**
 * Runs a case; true if its schema was refused because it takes too much work, as few of those that chance makes are.
 * (Shrinking such a case would compile thousands of schemas, so properties end with the first failure.)
 */
function isRefused(run: () => void): boolean {
  try {
    run();
    return false;
  } catch (error) {
    if (error instanceof RidgepointError && /takes too much work/.test(error.message)) return true;
    throw error;
  }
}

/** Numbers in [0, 1) by a linear congruence. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** JSON with a blank or a line end wherever one may stand. */
function spread(value: unknown): string {
  const list = (open: string, items: string[], close: string): string =>
    items.length === 0 ? `${open} ${close}` : `${open}\n${items.join(', ')}\n${close}`;
  if (Array.isArray(value)) return list('[', value.map(spread), ']');
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return list('{', Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${spread(one)}`), '}'); // prettier-ignore
}

/** Cuts a text into tokens, of all that fit at a place one by `choose`; the longest is the last. */
function tokenise(vocabulary: TokenVocabulary, text: Uint8Array, choose: (count: number) => number): number[] {
  const index = indexOf(vocabulary);
  const ids: number[] = [];
  for (let at = 0; at < text.length;) {
    const fitting: { id: number; length: number }[] = [];
    for (let length = 1; length <= index.longest && at + length <= text.length; length++) {
      const id = index.ids.get(text.subarray(at, at + length).join());
      if (id !== undefined) fitting.push({ id, length });
    }
    const { id, length } = fitting[choose(fitting.length)];
    ids.push(id);
    at += length;
  }
  return ids;
}

const indices = new WeakMap<TokenVocabulary, { ids: Map<string, number>; longest: number }>();
function indexOf(vocabulary: TokenVocabulary): { ids: Map<string, number>; longest: number } {
  let index = indices.get(vocabulary);
  if (index === undefined) {
    index = { ids: new Map(), longest: 0 };
    for (let id = 0; id < vocabulary.size; id++) {
      const bytes = vocabulary.bytes(id);
      if (bytes === undefined) continue;
      index.ids.set(bytes.join(), id);
      index.longest = Math.max(index.longest, bytes.length);
    }
    indices.set(vocabulary, index);
  }
  return index;
}

describe.each(vocabularies)('with the vocabulary %s', (name, vocabulary) => {
  const numRuns = scaled(name === 'Llama 2' ? 25 : 120, name === 'Llama 2' ? 4 : 20);

  it('random allowed tokens make JSON that fits the schema', () => {
    let ended = 0;
    fc.assert(
      fc.property(samples, fc.nat(), fc.nat(60), ({ schema }, seed, wild) => {
        let text: string | undefined;
        isRefused(() => (text = randomWalk(schema, vocabulary, randomOf(seed), wild)));
        if (text === undefined) return;
        ended++;
        const value: unknown = JSON.parse(text);
        expect(ajv.validate(schema, value), `${text} ${ajv.errorsText()}`).toBe(true);
      }),
      { numRuns, ...always },
    );
    // Of few runs chance may lose some.
    expect(ended).toBeGreaterThan((isFull ? 0.7 : 0.4) * numRuns);
  });

  it('every way to cut a fitting text into tokens is allowed', () => {
    let refused = 0;
    const cases = samples.chain(({ schema, value }) => fc.tuple(fc.constant(schema), value, fc.nat(), fc.boolean()));
    fc.assert(
      fc.property(cases, ([schema, value, seed, wide]) => {
        if (!ajv.validate(schema, value)) throw new Error(`the test is wrong: ${ajv.errorsText()}`);
        const text = wide ? spread(value) : JSON.stringify(value);
        const random = randomOf(seed);
        const fits = (): void => {
          const constraint = compileJsonConstraint(schema, vocabulary);
          const bytes = encoder.encode(text);
          const any = (count: number): number => Math.floor(random() * count);
          for (const choose of [(count: number) => count - 1, any]) {
            const one = constraint.create();
            for (const id of tokenise(vocabulary, bytes, choose)) {
              expect(isAllowed(one.allowed(), id), `${id} in ${text}`).toBe(true);
              one.accept(id);
            }
            expect(isAllowed(one.allowed(), vocabulary.eosIds[0])).toBe(true);
          }
        };
        if (isRefused(fits)) refused++;
      }),
      { numRuns, ...always },
    );
    expect(refused).toBeLessThan(Math.max(2, 0.1 * numRuns));
  });
});

it('a mask holds just the tokens whose bytes are allowed one after the other', () => {
  const cases = samples.chain(({ schema, value }) => fc.tuple(fc.constant(schema), value, fc.nat(1000)));
  fc.assert(
    fc.property(cases, ([schema, value, cut]) => {
      const text = encoder.encode(JSON.stringify(value));
      const before = text.subarray(0, cut % (text.length + 1));
      const constraint = compileJsonConstraint(schema, awkward);
      const reach = (bytes: Uint8Array): boolean => {
        const one = constraint.create();
        for (const byte of [...before, ...bytes]) {
          try {
            one.accept(idOfByte(awkward, byte));
          } catch (error) {
            if (error instanceof RangeError) return false;
            throw error;
          }
        }
        return true;
      };
      const one = constraint.create();
      for (const byte of before) one.accept(idOfByte(awkward, byte));
      const mask = one.allowed();
      for (let id = 0; id < awkward.size; id++) {
        const bytes = awkward.bytes(id);
        if (bytes !== undefined) expect(isAllowed(mask, id), `token ${id} after ${Buffer.from(before).toString()}`).toBe(reach(bytes));
      }
    }),
    { numRuns: scaled(60, 10), ...always },
  ); // prettier-ignore
});

it('any JSON object is taken without a schema, compact and with blanks', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }).map(plain)), (value) => {
      const compact = JSON.stringify(value);
      const any = compileJsonConstraint(undefined, awkward);
      expect(takes(any.create(), awkward, compact)).toBe(true);
      expect(takes(any.create(), awkward, ` ${spread(value)}`)).toBe(true);
    }),
  );
});
