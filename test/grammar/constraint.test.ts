import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileJsonConstraint, type TokenVocabulary } from '../../src/grammar/index.js';
import { samples } from './schemas.js';
import { allowedIds, awkward, idOfByte, isAllowed, takes, vocabularies } from './vocabularies.js';

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

/** Chooses among the allowed tokens until the end; after `wild` tokens takes those that end values soonest. */
function randomWalk(
  schema: unknown,
  vocabulary: TokenVocabulary,
  random: () => number,
  wild: number,
): { text: string; bytes: number } {
  const constraint = compileJsonConstraint(schema, vocabulary).create();
  const closing = [...'"]}'].map((char) => idOfByte(vocabulary, char.charCodeAt(0)));
  const bytes: number[] = [];
  for (let step = 0; ; step++) {
    const ids = allowedIds(constraint);
    expect(ids.length, `a dead end after ${decoder.decode(Uint8Array.from(bytes))}`).toBeGreaterThan(0);
    const eos = ids.includes(vocabulary.eosIds[0]);
    if (eos && (ids.length === 1 || step > wild || random() < 0.2)) break;
    if (step > wild + 3000) throw new Error(`no end after ${Buffer.from(bytes).toString()}`);
    const soon = closing.find((id) => ids.includes(id));
    const texts = ids.filter((id) => !vocabulary.eosIds.includes(id));
    const id =
      soon !== undefined && (step > wild || random() < 0.1) ? soon : texts[Math.floor(random() * texts.length)];
    constraint.accept(id);
    bytes.push(...vocabulary.bytes(id)!);
  }
  constraint.accept(vocabulary.eosIds[0]);
  expect(allowedIds(constraint)).toEqual([...vocabulary.eosIds]);
  return { text: decoder.decode(Uint8Array.from(bytes)), bytes: bytes.length };
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
  const numRuns = name === 'Llama 2' ? 25 : 120;

  it('random allowed tokens make JSON that fits the schema', () => {
    fc.assert(
      fc.property(samples, fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })), fc.nat(60), (sample, stream, wild) => {
        const { text } = randomWalk(sample.schema, vocabulary, () => stream.next().value as number, wild);
        const value: unknown = JSON.parse(text);
        const valid = ajv.validate(sample.schema, value);
        expect(valid, `${text} ${ajv.errorsText()}`).toBe(true);
      }),
      { numRuns },
    ); // prettier-ignore
  });

  it('every way to cut a fitting text into tokens is allowed', () => {
    const cuts = fc.infiniteStream(fc.nat(1000));
    const cases = samples.chain(({ schema, value }) => fc.tuple(fc.constant(schema), value, cuts, fc.nat(2)));
    fc.assert(
      fc.property(cases, ([schema, value, stream, style]) => {
        if (!ajv.validate(schema, value)) throw new Error(`the test is wrong: ${ajv.errorsText()}`);
        const compact = JSON.stringify(value);
        const text = style === 1 && !/[,:{[]/.test(JSON.stringify(compact).slice(1)) ? ` ${compact}` : compact;
        const constraint = compileJsonConstraint(schema, vocabulary);
        const bytes = encoder.encode(text);
        const any = (count: number): number => (stream.next().value as number) % count;
        for (const choose of [(count: number) => count - 1, any]) {
          const one = constraint.create();
          for (const id of tokenise(vocabulary, bytes, choose)) {
            expect(isAllowed(one.allowed(), id), `${id} in ${text}`).toBe(true);
            one.accept(id);
          }
          expect(isAllowed(one.allowed(), vocabulary.eosIds[0])).toBe(true);
        }
      }),
      { numRuns },
    );
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
    { numRuns: 60 },
  ); // prettier-ignore
});

it('every string and number of any size is taken, with the usual blanks', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (value) => {
      const compact = JSON.stringify(value).replace(/e\+(29|30)\d/g, 'e+99');
      const any = compileJsonConstraint(undefined, awkward);
      expect(takes(any.create(), awkward, compact)).toBe(true);
      expect(takes(any.create(), awkward, ` ${compact}`)).toBe(true);
    }),
  );
});
