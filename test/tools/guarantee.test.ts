import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGrammar } from '../../src/grammar/index.js';
import type { TokenConstraint } from '../../src/engine/api.js';
import { TOOL_FORMATS, toolFormat, type Tool } from '../../src/tools/index.js';
import { allowedIds, awkward, idOfByte, isAllowed } from '../grammar/vocabularies.js';
import { scaled } from '../support/scale.js';

const TOOLS: readonly Tool[] = [
  {
    name: 'weather',
    parameters: {
      type: 'object',
      properties: {
        city: { type: 'string', maxLength: 6 },
        days: { type: 'integer', minimum: 1, maximum: 14 },
        units: { enum: ['metric', 'imperial'] },
        detail: { type: ['boolean', 'null'] },
        at: { type: 'array', items: { type: 'object', properties: { 'x y': { type: 'number' } }, required: ['x y'] }, maxItems: 2 },
      },
      required: ['city', 'days'],
      additionalProperties: false,
    },
  },
  { name: 'now', parameters: { type: 'object', properties: {}, additionalProperties: false } },
]; // prettier-ignore
const ajv = new Ajv2020({ strict: false });
const valid = new Map(TOOLS.map(({ name, parameters }) => [name, ajv.compile(parameters as object)]));
const decoder = new TextDecoder('utf-8', { fatal: true });

/** How a call begins, in each family's words. */
const BEGIN: Readonly<Record<(typeof TOOL_FORMATS)[number], string>> = {
  hermes: 'Look: <tool_call>',
  generic: '<tool_call>',
  llama: ' {\n "name"',
  pythonic: '[ now(',
  mistral: 'Look: [TOOL_CALLS]',
  'mistral-args': 'Look: [TOOL_CALLS]',
  'qwen-coder': 'Look: <tool_call>',
};

/** Goes on from a text by any of the allowed tokens, mostly those that end values, to the end. */
function walk(constraint: TokenConstraint, begin: string, random: () => number): string {
  const bytes: number[] = [];
  const accept = (id: number): void => {
    constraint.accept(id);
    bytes.push(...awkward.bytes(id)!);
  };
  for (const byte of new TextEncoder().encode(begin)) accept(idOfByte(awkward, byte));
  const closing = [...'"]}'].map((char) => idOfByte(awkward, char.charCodeAt(0)));
  for (let step = 0; step < 3000; step++) {
    if (isAllowed(constraint.allowed(), awkward.eosIds[0]) && random() < 0.3)
      return decoder.decode(Uint8Array.from(bytes));
    const ids = allowedIds(constraint).filter((id) => id !== awkward.eosIds[0]);
    const soon = closing.find((id) => ids.includes(id));
    if (ids.length === 0) return decoder.decode(Uint8Array.from(bytes));
    accept(soon !== undefined && random() < 0.5 ? soon : ids[Math.floor(random() * ids.length)]);
  }
  throw new Error('no end was met');
}

const randomOf = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
};

describe.each(TOOL_FORMATS)('the grammar of %s', (name) => {
  const format = toolFormat(name);

  it.each([
    ['required', { required: true, parallel: true }, ''],
    ['required, one', { required: true, parallel: false }, ''],
    ['once a call begins', { required: false, parallel: true }, BEGIN[name]],
    ['once one begins', { required: false, parallel: false }, BEGIN[name]],
  ] as const)('%s: arguments fit the schema', (_, limits, begin) => {
    const compiled = compileGrammar(format.grammar(TOOLS, limits), awkward);
    const several = new Set<number>();
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const text = walk(compiled.create(), begin, randomOf(seed));
        const reader = format.reader(TOOLS);
        const calls: { name: string; given: string }[] = [];
        let said = '';
        for (const event of [...reader.push(text), ...reader.end()]) {
          if (event.kind === 'call') calls.push({ name: event.name, given: '' });
          else if (event.kind === 'arguments') calls[calls.length - 1].given += event.text;
          else said += event.text;
        }
        expect(said.trim(), text).toBe(begin.startsWith('Look') ? 'Look:' : '');
        expect(calls.length, text).toBeGreaterThanOrEqual(1);
        several.add(calls.length);
        for (const call of calls) {
          const judge = valid.get(call.name)!;
          expect(judge(JSON.parse(call.given)), `${text} ${ajv.errorsText(judge.errors)}`).toBe(true);
        }
      }),
      { numRuns: scaled(25), seed: 3 },
    );
    expect(limits.parallel || Math.max(...several) === 1).toBe(true);
  });

  it('leaves what is no call alone', () => {
    const constraint = compileGrammar(format.grammar(TOOLS, { required: false, parallel: true }), awkward).create();
    for (const byte of new TextEncoder().encode('It is {"name" < [1, look(…)] é')) {
      constraint.accept(idOfByte(awkward, byte));
    }
    expect(isAllowed(constraint.allowed(), awkward.eosIds[0])).toBe(true);
    const said = format.reader([{ name: 'look', parameters: {} }]).push('It is {"name" < [1, look(…)] é');
    expect(said).toEqual([{ kind: 'text', text: 'It is {"name" < [1, look(…)] é' }]);
  });
});
