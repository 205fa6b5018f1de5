import { describe, expect, it } from 'vitest';
import { compileGrammar } from '../../src/grammar/index.js';
import { awkward, takes } from './vocabularies.js';

const compile = (schema: object) => compileGrammar({ kind: 'elements', schema }, awkward);
const element = (name: string, value: string): string => `<parameter=${name}>\n${value}\n</parameter>\n`;

/** Which values of a parameter's schema may stand in its element. */
function taken(property: object, values: readonly string[], more: object = {}): string[] {
  const compiled = compile({ type: 'object', properties: { p: property }, required: ['p'], ...more });
  return values.filter((value) => takes(compiled.create(), awkward, element('p', value)));
}

describe('parameters as elements', () => {
  it('are texts as they are where only texts fit, within their limits', () => {
    const quoted = '"so"';
    const code = 'if (a < b) {\n\treturn "é😀\\";\n}\n';
    expect(taken({ type: 'string' }, ['', '5', quoted, code, 'a</parameter>b'])).toEqual(['', '5', quoted, code]);
    expect(taken({ type: 'string', maxLength: 3 }, ['é<😀', 'abcd', ''])).toEqual(['é<😀', '']);
    expect(taken({ type: 'string', minLength: 2, maxLength: 1000 }, ['a', 'ab', 'a<b'])).toEqual(['ab']);
    expect(taken({ type: 'string', pattern: '^[a-z]+\\.ts$' }, ['a.ts', '"a.ts"', 'A.ts'])).toEqual(['a.ts']);
    expect(taken({ type: 'string', format: 'date' }, ['2024-02-29', '2023-02-29'])).toEqual(['2024-02-29']);
    expect(taken({ enum: ['a', 'b c'] }, ['a', 'b c', '"a"', 'c'])).toEqual(['a', 'b c']);
    const $defs = { unit: { anyOf: [{ const: 'm' }, { type: 'string', maxLength: 1 }] } };
    expect(taken({ $ref: '#/$defs/unit' }, ['m', 'x', '"m"', 'xy'], { $defs })).toEqual(['m', 'x']);
  });

  it('are JSON where anything else fits, too', () => {
    expect(taken({ type: 'integer' }, ['5', '"5"', 'five'])).toEqual(['5']);
    expect(taken({ type: ['string', 'null'] }, ['null', '"a"', 'a'])).toEqual(['null', '"a"']);
    expect(taken({ type: 'string', nullable: true }, ['null', '"a"', 'a'])).toEqual(['null', '"a"']);
    expect(taken({ type: 'array', items: { type: 'string' } }, ['["a", "b"]', '[]', 'a'])).toEqual([
      '["a", "b"]',
      '[]',
    ]);
  });

  it('are those of the schema, in its order', () => {
    const properties = { a: { type: 'string' }, b: { type: 'integer' } };
    const compiled = compile({ type: 'object', properties, required: ['a'] });
    const [a, b] = [element('a', 'x'), element('b', '1')];
    const texts = [a, a + b, b, b + a, '', a + element('c', 'x')];
    expect(texts.filter((text) => takes(compiled.create(), awkward, text))).toEqual([a, a + b]);
  });

  it('need names that can stand in a tag', () => {
    expect(() => compile({ type: 'object', properties: { 'a b': {} } })).toThrow(
      /"a b", which is no name of an element/,
    );
  });
});
