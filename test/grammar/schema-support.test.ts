import { describe, expect, it } from 'vitest';
import { RidgepointError } from '../../src/errors.js';
import { compileGrammar, compileJsonConstraint } from '../../src/grammar/index.js';
import { tokenVocabulary } from '../../src/tokenizer/vocabulary.js';
import { random } from '../reference/compare.js';
import { scaled } from '../support/scale.js';
import { byteLevel, tinyTales } from '../tokenizer/folders.js';
import { allBytes, allowedIds, awkward, idOfByte, takes, vocabularyOf } from './vocabularies.js';

const accepts = (schema: unknown, text: string): boolean =>
  takes(compileJsonConstraint(schema, awkward).create(), awkward, text);

/** Checks that each of `good` is taken and none of `bad`, given as JSON texts. */
function check(schema: unknown, good: readonly string[], bad: readonly string[]): void {
  expect(good.filter((text) => !accepts(schema, text))).toEqual([]);
  expect(bad.filter((text) => accepts(schema, text))).toEqual([]);
}

describe('numbers', () => {
  it('integers of a range, exactly', () => {
    const within = (low: number, high: number): number[] => Array.from({ length: high - low + 1 }, (_, i) => low + i);
    for (const [low, high] of [
      [-12, 105],
      [0, 0],
      [7, 7],
      [-1005, -98],
      [99, 1001],
      [-1, 1],
    ]) {
      // prettier-ignore
      const schema = { type: 'integer', minimum: low, maximum: high };
      const all = within(-1100, 1100);
      expect(all.filter((value) => accepts(schema, String(value)))).toEqual(within(low, high));
    }
    check({ type: 'integer', exclusiveMinimum: 0.5, maximum: 3.5 }, ['1', '3'], ['0', '4', '-1', '01', '1.0', '1e0']);
    check({ type: 'integer' }, ['0', '9007199254740991', '-9007199254740991'], ['-0', '9007199254740992', '00']);
  });

  it('numbers of a range in plain decimals', () => {
    const schema = { type: 'number', minimum: -0.25, exclusiveMaximum: 10.5 };
    check(schema, ['-0.25', '-0.2', '0', '0.0', '3.14159', '10.4999', '9', '-0.00001'], [
      '-0.26', '-0.250001', '10.5', '10.50', '11', '100', '-1', '-0', '1e0', '.5', '1.', '00.5',
    ]); // prettier-ignore
    check(
      { type: 'number', exclusiveMinimum: 0 },
      ['0.00000000000001', '999999999999999'],
      ['0', '0.0', '-1', '1e300'],
    );
    check({ type: 'number', minimum: 1e-7, maximum: 2e-7 }, ['0.0000001', '0.00000015'], ['0', '0.00000021']);
    check({ type: 'number' }, ['1e280', '1E-5', '1e-07', '1.5e+3', '-0.0'], ['1e281', '1e999', '1e', '+1', '01', '1.']);
  });
});

describe('multiples', () => {
  it('of whole numbers, exactly', () => {
    for (const [factor, low, high] of [
      [5, -1005, 1005],
      [7, -100, 20_000],
      [300, 1, 9_000_000],
    ]) {
      // prettier-ignore
      const schema = { type: 'integer', multipleOf: factor, minimum: low, maximum: high };
      const texts = Array.from({ length: 40 }, (_, i) => low + Math.round((i * (high - low)) / 39));
      const near = texts.flatMap((at) => [at - (at % factor), at]);
      const right = near.filter((value) => value % factor === 0 && value >= low && value <= high);
      expect(near.filter((value) => accepts(schema, String(value)))).toEqual(right);
    }
    const free = { type: 'integer', multipleOf: 9 };
    check(free, ['0', '-9', '18', '9007199254740987', '-9007199254740987'], ['1', '09', '-0', '9.0', '9007199254740996']);
    const both = { allOf: [{ multipleOf: 4 }, { multipleOf: 6 }] };
    check(both, ['0', '12', '-24'], ['4', '6', '8', '18']);
    check({ type: 'integer', multipleOf: 1e6, minimum: 1, maximum: 5e6 }, ['1000000', '5000000'], ['0', '500000', '6000000']);
  }); // prettier-ignore
});

describe('items without repetition', () => {
  it('are each of a few values at most once', () => {
    const letters = { type: 'array', items: { enum: ['a', 'b', 'c'] }, uniqueItems: true };
    const lists = (values: string[]): string[][] =>
      values.flatMap((one) => [[one], ...lists(values.filter((other) => other !== one)).map((rest) => [one, ...rest])]);
    const good = ['[]', ...lists(['a', 'b', 'c']).map((list) => JSON.stringify(list))];
    expect(good).toHaveLength(16);
    check(letters, good, ['["a","a"]', '["a","b","a"]', '["d"]', '["a","b","c","a"]']);
    check({ ...letters, minItems: 2, maxItems: 2 }, ['["a","b"]', '["c","a"]'], ['[]', '["a"]', '["a","b","c"]', '["b","b"]']);
  }); // prettier-ignore

  it('may be booleans, null and integers of narrow limits, and any single item', () => {
    const mixed = {
      anyOf: [{ type: ['boolean', 'null'] }, { type: 'integer', minimum: 2, maximum: 8, multipleOf: 3 }],
    };
    const schema = { type: 'array', items: mixed, uniqueItems: true };
    check(schema, ['[true,false,null,3,6]', '[6,null]'], ['[3,3]', '[true,true]', '[4]', '[null,3,null]']);
    check({ type: 'array', items: { type: 'string' }, uniqueItems: true, maxItems: 1 }, ['["x"]', '[]'], ['["x","y"]']);
  });
});

describe('what OpenAPI and other tools add', () => {
  it('nullable: null, or what the rest says', () => {
    check({ type: 'string', nullable: true, maxLength: 2 }, ['null', '"ab"'], ['"abc"', '1']);
    check({ enum: ['a'], nullable: true }, ['null', '"a"'], ['"b"']);
    const reference = { $defs: { n: { type: 'integer', minimum: 1 } }, allOf: [{ $ref: '#/$defs/n' }], nullable: true };
    check(reference, ['null', '3'], ['0', '"3"']);
    const inner = { type: 'object', properties: { x: { type: 'integer', nullable: true } }, required: ['x'] };
    check(inner, ['{"x":null}', '{"x":1}'], ['{"x":"1"}', '{}']);
    check({ type: 'string', nullable: false }, ['"a"'], ['null']);
    // Both halves of an allOf must let null through.
    check({ allOf: [{ type: 'string', nullable: true }, { type: 'string' }] }, ['"a"'], ['null']);
  });

  it('exclusive limits that are marks of the limit beside them', () => {
    const open = { type: 'integer', minimum: 0, exclusiveMinimum: true, maximum: 4, exclusiveMaximum: true };
    check(open, ['1', '3'], ['0', '4', '-1']);
    // In whatever order they come.
    check({ exclusiveMinimum: true, type: 'number', minimum: 0 }, ['0.1', '5'], ['0', '-1']);
    check({ ...open, exclusiveMinimum: false, exclusiveMaximum: false }, ['0', '4'], ['-1', '5']);
  });

  it('annotations that nobody here knows', () => {
    const cat = { type: 'object', properties: { kind: { const: 'cat' } }, required: ['kind'] };
    const dog = { type: 'object', properties: { kind: { const: 'dog' } }, required: ['kind'] };
    const discriminator = { propertyName: 'kind', mapping: { cat: '#/oneOf/0' } };
    check({ discriminator, oneOf: [cat, dog] }, ['{"kind":"cat"}', '{"kind":"dog"}'], ['{"kind":"cow"}', '{}']);
    check(
      { type: 'null', markdownDescription: 'x', enumNames: [], errorMessage: 'y', constructor: 1 },
      ['null'],
      ['1'],
    );
  });

  it('lookaheads behind "^"', () => {
    const text = (pattern: string): object => ({ type: 'string', pattern });
    const decimal = '^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$';
    const texts = ['', '-', '+.', '.', '-.', '1', '-1', '00.50', '.5', '5.', '+7.25', '1.2.3', 'x', '--1'];
    const right = texts.filter((one) => new RegExp(decimal).test(one));
    expect(right).toEqual(['1', '-1', '00.50', '.5', '5.', '+7.25']);
    expect(texts.filter((one) => accepts(text(decimal), JSON.stringify(one)))).toEqual(right);
    const password = '^(?=.*\\d)(?=.*[a-z])(?!.*(?:aa|00)).{4,6}$';
    const words = ['abc1', '1abc', 'abcd', '1234', 'a1', 'aab1', 'b001', 'abc1234', 'ab12cd', 'é1x!'];
    const fitting = words.filter((one) => new RegExp(password, 'u').test(one));
    expect(fitting).toEqual(['abc1', '1abc', 'ab12cd', 'é1x!']);
    expect(words.filter((one) => accepts(text(password), JSON.stringify(one)))).toEqual(fitting);
    // Together with limits of the length and another pattern.
    const both = { allOf: [text(password), { maxLength: 4 }, text('b')] };
    check(both, ['"abc1"', '"1abc"'], ['"ab12cd"', '"é1x!"']);
    check(text('^(?!no)|^x$'), ['"yes"', '"x"', '""'], ['"no"', '"nothing"']);
  });
});

describe('strings', () => {
  it('are valid UTF-8 with whole surrogate pairs', () => {
    const one = { type: 'string', minLength: 1, maxLength: 1 };
    check(one, ['"é"', '"😀"', '"\\ud83d\\uDE00"', '"\\u00e9"', '"\\n"', '"\\/"', '"\u2028"'], [
      '""', '"ab"', '"\\ud83d"', '"\\ude00\\ud83d"', '"\\x41"', '"\n"', '"\\u12"', '"e\u0301"',
    ]); // prettier-ignore
    const constraint = compileJsonConstraint(one, awkward).create();
    constraint.accept(idOfByte(awkward, 0x22));
    const next = allowedIds(constraint);
    expect([0xc0, 0xc1, 0xf5, 0xff, 0x80].filter((byte) => next.includes(idOfByte(awkward, byte)))).toEqual([]);
    constraint.accept(idOfByte(awkward, 0xed)); // only 0x80 to 0x9f: beyond are surrogates
    const single = allowedIds(constraint).filter((id) => awkward.bytes(id)?.length === 1);
    expect(single).toEqual(Array.from({ length: 32 }, (_, i) => idOfByte(awkward, 0x80 + i)));
  });

  it('match patterns anywhere unless anchored', () => {
    check({ pattern: 'b+c' }, ['"abcd"', '"bbc"'], ['"ac"', '1']);
    check({ pattern: '^(a|b)$' }, ['"a"', '"b"'], ['"ab"', '""']);
    check({ pattern: '^[\\x41-C\\u{1F600}\\-]+$' }, ['"ABC"', '"😀-"'], ['"D"', '"\\u0041"']);
    check({ pattern: '^\\n"\\\\$' }, ['"\\n\\"\\\\"'], ['"\n"', '"\\u000a\\"\\\\"']);
  });

  it('are dates that exist', () => {
    check({ format: 'date' }, ['"2024-02-29"', '"2000-02-29"', '"2023-12-31"'], [
      '"2023-02-29"', '"1900-02-29"', '"2023-04-31"', '"2023-13-01"', '"2023-00-01"', '"2023-1-1"',
    ]); // prettier-ignore
    check({ format: 'date-time' }, ['"2024-02-29T23:59:59.123Z"', '"2024-01-01T00:00:00+05:30"'], [
      '"2024-02-29"', '"2024-02-29T24:00:00Z"', '"2024-02-29T00:00:00"',
    ]); // prettier-ignore
    check({ format: 'ipv4' }, ['"255.0.10.99"'], ['"256.0.0.1"', '"1.2.3"', '"01.2.3.4"']);
    check({ type: 'string', format: 'something' }, ['"x"'], []);
  });
});

describe('numbers of so many decimals', () => {
  it('are multiples of 0.1, 0.01 and so on', () => {
    const cents = { type: 'number', multipleOf: 0.01 };
    check(cents, ['0', '-3', '1.5', '12.34', '-0.05', '999999.99'], ['0.005', '1.234', '1e2']);
    check({ ...cents, minimum: 0.1, maximum: 2.005 }, ['0.1', '0.10', '0.11', '1.99', '2', '2.00'], ['0.09', '2.01', '2.005', '0.101']); // prettier-ignore
    check({ allOf: [cents, { multipleOf: 0.1 }], exclusiveMinimum: 0 }, ['0.1', '7'], ['0.01', '0']);
    check({ allOf: [{ multipleOf: 0.1 }, { multipleOf: 5 }] }, ['10', '-5'], ['2.5', '7']);
    check({ type: 'integer', multipleOf: 0.5e-3 * 2 }, ['4'], ['4.0']);
  });

  it('are multiples of what divides 1, exactly', () => {
    for (const factor of [0.5, 0.25, 0.2, 0.05, 0.125]) {
      const schema = { type: 'number', multipleOf: factor, minimum: -1.25, maximum: 12 };
      const texts = Array.from({ length: 14_000 }, (_, at) => at - 1500).filter(
        (at) => at % 375 === 0 || at % 410 === 0,
      );
      for (const thousandths of texts) {
        const right = thousandths % Math.round(factor * 1000) === 0 && thousandths >= -1250 && thousandths <= 12_000;
        const text = String(thousandths / 1000);
        expect(accepts(schema, text), `${text} of ${factor}`).toBe(right);
      }
    }
    const half = { type: 'number', multipleOf: 0.5 };
    check(half, ['0', '-0.5', '3', '3.0', '123456.5'], ['0.50', '0.25', '1e2', '.5', '5.']);
    check({ allOf: [half, { multipleOf: 0.2 }] }, ['1', '-3.0'], ['0.5', '0.2']);
    check({ type: 'integer', multipleOf: 0.25 }, ['4'], ['4.0', '4.25']);
  });
});

describe('patterns as other programs write them', () => {
  /** Of pydantic and zod; each is held against `RegExp` on texts close to what it matches. */
  const PATTERNS = {
    'Decimal of five digits, two of them decimals':
      '^(?!^[-+.]*$)[+-]?0*(?:\\d{0,3}|(?=[\\d.]{1,6}0*$)\\d{0,3}\\.\\d{0,2}0*$)',
    'Decimal of two decimals': '^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d{0,2}0*$',
    duration:
      '^P(?:(\\d+W)|(?!.*W)(?=\\d|T\\d)(\\d+Y)?(\\d+M)?(\\d+D)?(T(?=\\d)(\\d+H)?(\\d+M)?(\\d+([.,]\\d+)?S)?)?)$',
    'one lookahead behind another': '^[ab]?(?=.?c)(?!.*d)[a-e]*(x|$|(?=y)y+)',
    'none anchored': 'a(?=b)[a-c]c|(?!d)[de]$',
  };
  const ALPHABET = ['', '-', '+', '.', '0', '00', '1', '23', '456', 'P', 'T', 'W', 'Y', 'M', 'D', 'H', '5S', 'a', 'b', 'c', 'd', 'x', 'y', 'e']; // prettier-ignore

  it.each(Object.entries(PATTERNS))('%s', (_, pattern) => {
    const schema = { type: 'string', pattern };
    const regex = new RegExp(pattern, 'u');
    const constraint = compileJsonConstraint(schema, awkward);
    const rng = random(7);
    // Of the pattern's own letters, so that some match.
    const own = [...new Set(pattern.replace(/[^\w.+-]|\\\w/g, ''))];
    let matched = 0;
    for (let i = 0; i < scaled(3000, 500); i++) {
      const letters = i % 3 === 0 ? own : ALPHABET;
      const text = Array.from({ length: rng.integer(6) }, () => letters[rng.integer(letters.length)]).join('');
      const built = i % 2 === 0 ? text : `P${rng.integer(30)}${'YMDHS'[rng.integer(5)]}${text}`;
      if (regex.test(built)) matched++;
      expect(takes(constraint.create(), awkward, JSON.stringify(built)), built).toBe(regex.test(built));
    }
    expect(matched).toBeGreaterThan(3);
  });

  it('with the anchors of Python and Rust', () => {
    check({ pattern: '\\A\\d+\\Z' }, ['"12"'], ['"A12Z"', '"a12"', '"12z"']);
    check({ pattern: '\\Aab\\z' }, ['"ab"'], ['"Aabz"', '"abc"']);
  });
});

describe('objects and arrays', () => {
  it('have keys in the order of the schema', () => {
    const properties = { a: { type: 'integer' }, b: { type: 'integer' }, ab: { type: 'integer' } };
    check({ properties, required: ['b'] }, ['{"a":1,"b":2,"ab":3}', '{"b":2}', '{ "b": 2,\n"ab": 3 }'], [
      '{}', '{"a":1}', '{"b":2,"a":1}', '{"b":2,"c":1}', '{"b":2,"b":2}', '{  "b":2}', '{"b":2}x', '{"b" :2}',
    ]); // prettier-ignore
  });

  it('have names from a list or of a pattern', () => {
    const listed = {
      type: 'object',
      propertyNames: { enum: ['a', 'b', 1] },
      additionalProperties: { type: 'integer' },
    };
    check(listed, ['{}', '{"a":1}', '{"a":1,"b":2}', '{"b":2}'], ['{"c":1}', '{"a":"x"}', '{"1":1}', '{"b":1,"b":2}']);
    check({ ...listed, required: ['b'] }, ['{"b":2}', '{"b":2,"a":1}'], ['{}', '{"a":1}']);
    const either = { anyOf: [{ const: 'k' }, { enum: ['l'] }] };
    check({ type: 'object', propertyNames: either }, ['{"k":null}', '{"l":[1]}'], ['{"m":0}']);
    const pattern = { type: 'object', patternProperties: { '^\\d+$': { type: 'boolean' } } };
    check(pattern, ['{}', '{"12":true}', '{"1":true,"2":false}'], ['{"a":true}', '{"1":1}']);
    check({ ...pattern, additionalProperties: false }, ['{"7":true}'], ['{"x":1}']);
  });

  it('keep additional keys apart from named ones', () => {
    const schema = { properties: { ab: { type: 'integer' } }, additionalProperties: { type: 'string' } };
    check(schema, ['{"a":"x","abc":"y","":"z"}', '{"ab":1,"b":""}', '{}'], [
      '{"ab":"x"}', '{"ab":1,"ab":"x"}', '{"a":"","ab":1}', '{"\\u0061b":"x"}', '{"c":1}',
    ]); // prettier-ignore
    check({ type: 'object', propertyNames: { pattern: '^k' }, additionalProperties: true }, ['{"k1":1}'], ['{"l":1}']);
    check({ type: 'object', required: ['x'], additionalProperties: { type: 'null' } }, ['{"x":null}', '{"x":null,"y":null}'], ['{}', '{"y":null}']); // prettier-ignore
  });

  it('count properties and items', () => {
    const properties = { a: { const: 1 }, b: { const: 2 }, c: { const: 3 } };
    check({ properties, minProperties: 1, maxProperties: 2 }, ['{"a":1}', '{"a":1,"c":3}', '{"b":2}'], [
      '{}', '{"a":1,"b":2,"c":3}',
    ]); // prettier-ignore
    check({ additionalProperties: { const: 0 }, maxProperties: 1 }, ['{}', '{"a":0}'], ['{"a":0,"b":0}']);
    check(
      { items: { const: 0 }, minItems: 2, maxItems: 3 },
      ['[0,0]', '[0, 0,\n0]'],
      ['[]', '[0]', '[0,0,0,0]', '[0,]'],
    );
    check({ prefixItems: [{ const: 1 }, { const: 2 }], minItems: 1 }, ['[1]', '[1,2]'], ['[]', '[1,2,3]', '[2]']);
    check({ items: [{ const: 1 }], additionalItems: { const: 2 } }, ['[]', '[1]', '[1,2,2]'], ['[2]', '[1,1]']);
    check({ type: 'array', maxItems: 0 }, ['[]', '[ ]'], ['[1]', '[  ]']);
  });

  it('put allOf and references together', () => {
    const schema = {
      $defs: { named: { properties: { name: { type: 'string', minLength: 1 } }, required: ['name'] } },
      allOf: [{ $ref: '#/$defs/named' }, { properties: { name: { maxLength: 2 }, n: { type: 'integer' } } }],
      properties: { n: { minimum: 3 } },
    };
    check(schema, ['{"n":3,"name":"x"}', '{"name":"xy"}'], ['{"name":""}', '{"name":"xyz"}', '{"n":2,"name":"x"}']);
    const either = { properties: { a: true, b: true }, anyOf: [{ required: ['a'] }, { required: ['b'] }] };
    check(either, ['{"a":null}', '{"b":[]}', '{"a":{},"b":0}'], ['{}']);
  });

  it('refer to themselves', () => {
    const tree = { properties: { v: { type: 'integer' }, kids: { items: { $ref: '#' } } }, required: ['v'] };
    check(tree, ['{"v":1}', '{"v":1,"kids":[{"v":2,"kids":[]},{"v":3}]}'], ['{"v":1,"kids":[{}]}']);
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    check({ $defs: { l: { items: { $ref: '#/$defs/l' } } }, $ref: '#/$defs/l' }, [nested(32)], [nested(33)]);
    check({ type: 'array' }, [nested(32)], [nested(33)]);
  });
});

describe('the end', () => {
  it('is forced once the value is complete, unless digits may go on', () => {
    const [eos] = awkward.eosIds;
    const object = compileJsonConstraint(undefined, awkward).create();
    expect(allowedIds(object)).not.toContain(eos);
    for (const char of '{}') object.accept(idOfByte(awkward, char.charCodeAt(0)));
    expect(allowedIds(object)).toEqual([eos]);
    object.accept(eos);
    expect(allowedIds(object)).toEqual([eos]);

    const number = compileJsonConstraint({ type: 'integer', maximum: 19, minimum: 1 }, awkward).create();
    number.accept(idOfByte(awkward, 0x31));
    expect(allowedIds(number)).toContain(eos);
    expect(allowedIds(number).length).toBe(11); // ten digits and the end
    number.accept(idOfByte(awkward, 0x39));
    expect(allowedIds(number)).toEqual([eos]);
    expect(() => number.accept(idOfByte(awkward, 0x31))).toThrow(RangeError);
    expect(() => object.accept(idOfByte(awkward, 0x31))).toThrow(RangeError);
  });
});

describe('what is refused', () => {
  const refused: readonly (readonly [unknown, string])[] = [
    [{ not: {} }, '#/not is not supported'],
    [{ properties: { 'a/b': { if: true } } }, '#/properties/a~1b/if is not supported'],
    [{ type: 'text' }, '#/type must be one of'],
    [{ type: 'string', minLength: 3, maxLength: 2 }, '#/minLength (3) is more than #/maxLength (2)'],
    [{ type: 'integer', minimum: 3, maximum: 2 }, '#/minimum leaves no integer'],
    [{ type: 'integer', minimum: 1e17 }, '#/minimum leaves no integer'],
    [{ type: 'number', exclusiveMinimum: 1, maximum: 1 }, '#/exclusiveMinimum leaves no number'],
    [
      { multipleOf: 0.3 },
      '#/multipleOf (0.3) is not supported: only whole numbers, 0.1, 0.01 and so on, and what divides 1 with',
    ],
    [
      { type: 'number', multipleOf: 0.1, exclusiveMinimum: 1, exclusiveMaximum: 1.1 },
      '#/exclusiveMinimum leaves no number',
    ],
    [{ multipleOf: 0 }, '#/multipleOf must be a number above 0'],
    [{ exclusiveMinimum: true }, '#/exclusiveMinimum must be a number, or stand beside "minimum"'],
    [{ minimum: '0', exclusiveMinimum: true }, '#/minimum must be a number'],
    [{ multipleOf: 301 }, '#/multipleOf (301) needs too many states'],
    [{ type: 'integer', multipleOf: 7, minimum: 1, maximum: 6 }, '#/multipleOf leaves no integer'],
    [{ uniqueItems: true }, '#/uniqueItems is supported only for arrays'],
    [{ uniqueItems: true, items: { type: 'string' } }, '#/uniqueItems is supported only for arrays'],
    [{ uniqueItems: true, prefixItems: [{ const: 1 }] }, '#/uniqueItems is supported only for arrays'],
    [{ uniqueItems: 1 }, '#/uniqueItems must be true or false'],
    [{ items: { const: 1 }, uniqueItems: true, minItems: 2 }, '# has no value that fits it'],
    [{ nullable: 'yes' }, '#/nullable must be true or false'],
    [{ contains: {} }, '#/contains is not supported'],
    [{ dependentRequired: {} }, '#/dependentRequired is not supported'],
    [{ type: 'string', minLenght: 3 }, '#/minLenght is no keyword; write "minLength"'],
    [{ type: 'string', max_length: 3 }, '#/max_length is no keyword; write "maxLength"'],
    [{ patternProperties: {} }, '#/patternProperties is supported with one pattern, and without'],
    [{ patternProperties: { a: {}, b: {} } }, '#/patternProperties is supported with one pattern, and without'],
    [
      { patternProperties: { a: {} }, properties: {} },
      '#/patternProperties is supported with one pattern, and without',
    ],
    [{ patternProperties: { '(': {} } }, '#/patternProperties/pattern ("(") is no regular expression'],
    [{ propertyNames: { enum: ['a'] }, required: ['b'] }, '# has no value that fits it'],
    [{ $ref: '#/$defs/x' }, '#/$ref points to "#/$defs/x", which is not there'],
    [{ $ref: 'https://example.com/x' }, '#/$ref ("https://example.com/x") must point into this schema'],
    [{ $ref: '#' }, '# refers to itself without a value in between'],
    [{ properties: { a: { $ref: '#' } }, required: ['a'] }, '# has no value that fits it'],
    [{ allOf: [{ type: 'string' }, { type: 'null' }] }, '# has no value that fits it'],
    [{ pattern: '(?=a)b' }, '#/pattern matches no text'],
    [{ pattern: '^(a(?!b))*c' }, '#/pattern ("^(a(?!b))*c") has a lookahead inside a group that more follows'],
    [{ pattern: '^a(?=^b)' }, '#/pattern ("^a(?=^b)") has "^" in a lookahead that is not at the beginning'],
    [{ pattern: '^\\h+$' }, '#/pattern ("^\\\\h+$") has "\\h", which is no escape of ECMA-262'],
    [{ pattern: '[\\A-]-\\p' }, 'has "\\A", which is no escape of ECMA-262'],
    [{ pattern: '\\c-' }, '#/pattern ("\\\\c-") has "\\c", which is no escape'],
    [{ pattern: '('.repeat(9000) + ')'.repeat(9000) }, 'has too many groups within each other'],
    [{ pattern: '(?<=a)b' }, '#/pattern ("(?<=a)b") has a lookbehind'],
    [{ pattern: '^(?=a$)b' }, '#/pattern matches no text'],
    [{ pattern: '(a)\\1' }, '#/pattern ("(a)\\\\1") refers back'],
    [{ pattern: 'a^b' }, '#/pattern ("a^b") has "^" where'],
    [{ pattern: '(' }, '#/pattern ("(") is no regular expression'],
    [{ pattern: '\\bword' }, '#/pattern ("\\\\bword") has a word boundary'],
    [{ pattern: '^(\\w{1,100}){1,100}$' }, 'stands for more than 2048 characters'],
    [{ pattern: '^a+$', format: 'date' }, '#/pattern leaves no text'],
    [{ enum: [] }, '#/enum must be a list'],
    [{ enum: [1], minimum: 0 }, '#/minimum stands beside #/enum'],
    [{ anyOf: [{ type: 'object' }, 7] }, '#/anyOf/1 must be a schema'],
    [7, '# must be a schema'],
    [false, '# has no value that fits it'],
    [{ additionalProperties: true, minProperties: 2 }, '#/minProperties is not supported where'],
    [{ anyOf: Array.from({ length: 1100 }, (_, i) => ({ const: i })) }, 'has more than 1024 alternatives'],
    [
      { allOf: [...Array.from({ length: 30 }, () => ({ anyOf: [{ type: 'null' }, {}] })), false] },
      'has too many combinations',
    ],
  ];

  it.each(refused.map(([schema, message]) => [message, schema] as const))('%s', (message, schema) => {
    let error: unknown;
    try {
      compileJsonConstraint(schema, awkward);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(RidgepointError);
    expect((error as RidgepointError).code).toBe('usage');
    expect((error as RidgepointError).message).toContain(message);
  });

  it('a schema nested beyond the stack', () => {
    const schema: unknown = JSON.parse('{"allOf":['.repeat(20_000) + '{}' + ']}'.repeat(20_000));
    expect(() => compileJsonConstraint(schema, awkward)).toThrow('# takes too much work to keep to');
  });

  const text = (pattern: string, more: object = {}): object => ({ type: 'string', pattern, ...more });
  it.each<readonly [string, object]>([
    ['optional parts before a class', text(`^${'.?'.repeat(900)}${'x'.repeat(900)}$`)],
    ['patterns that meet in very many states', { allOf: [text('(a|b)*a(a|b){13}'), text('(a|b)*b(a|b){11}')] }],
    ['a pattern of thousands of lengths', text('^[a-z]+$', { minLength: 9000, maxLength: 9900 })],
    ['long values', { enum: Array.from({ length: 500 }, (_, i) => `${i}`.repeat(1000)) }],
    ['very many values', { enum: Array.from({ length: 20_000 }, (_, i) => i) }],
    [
      'objects of all mixtures of many properties',
      {
        properties: Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`p${i}`, { type: 'integer' }])),
        minProperties: 450,
        maxProperties: 460,
      },
    ],
  ])('what takes too much work to compile: %s', (_, schema) => {
    expect(() => compileJsonConstraint(schema, awkward)).toThrow('# takes too much work to keep to');
  });

  it('what takes too much work and is no schema, which it is not called', () => {
    const part = { kind: 'pattern', source: `${'.?'.repeat(900)}${'x'.repeat(900)}` } as const;
    const grammar = { kind: 'sequence', items: Array.from({ length: 20 }, () => part) } as const;
    expect(() => compileGrammar(grammar, awkward)).toThrow(
      /^the form that is asked for takes too much work to keep to/,
    );
  });

  it('what takes too much work only once a text is begun', () => {
    const constraint = compileJsonConstraint(text(`^${'a?'.repeat(900)}${'a'.repeat(900)}$`), awkward).create();
    const write = (): void => {
      for (const char of '"aaa') {
        constraint.allowed();
        constraint.accept(idOfByte(awkward, char.charCodeAt(0)));
      }
    };
    expect(write).toThrow(RidgepointError);
    expect(write).toThrow('# takes too much work to keep to');
    // Others are not concerned.
    expect(allowedIds(compileJsonConstraint({ const: 1 }, awkward).create())).toContain(idOfByte(awkward, 0x31));
  });

  it('a vocabulary that cannot write the text for certain', () => {
    const without = (char: string): ReturnType<typeof vocabularyOf> =>
      vocabularyOf(['{"', 'a{'], allBytes().filter((byte) => byte !== char.charCodeAt(0))); // prettier-ignore
    expect(() => compileJsonConstraint(undefined, without('{'))).toThrow('no token for the single byte "{"');
    expect(() => compileJsonConstraint(undefined, without('"'))).not.toThrow(); // there is always {}
    const object = compileJsonConstraint({ type: 'object', required: ['k'] }, without('z')).create();
    expect(allowedIds(object).length).toBeGreaterThan(0);
    expect(() => compileJsonConstraint({ const: 'z' }, without('z'))).toThrow('no token for the single byte "z"');
    expect(() => compileJsonConstraint(undefined, { ...awkward, eosIds: [] })).toThrow('end-of-sequence ids');
  });
});

describe('tokenVocabulary', () => {
  it('has the bytes a token adds in the middle of a text', () => {
    const tiny = tokenVocabulary(tinyTales.tokenizer, { size: 2050, eosIds: [2] });
    const text = (id: number): string | undefined => {
      const bytes = tiny.bytes(id);
      return bytes && Buffer.from(bytes).toString('latin1');
    };
    expect([0, 1, 2, 2048, 2049].map(text)).toEqual(Array(5).fill(undefined));
    expect([3, 3 + 0x0a, 3 + 0xff].map(text)).toEqual(['\x00', '\n', '\xff']);
    const ids = tinyTales.tokenizer.encode('the the', { addSpecialTokens: false });
    expect(ids.map(text).join('')).toBe(' the the');

    const level = tokenVocabulary(byteLevel.tokenizer);
    expect(level.eosIds).toEqual([263]);
    expect(Array.from({ length: 256 }, (_, id) => level.bytes(id)![0])).toEqual(allBytes());
    expect(Buffer.from(level.bytes(258)!).toString()).toBe(' the');
    expect([262, 263].map((id) => level.bytes(id))).toEqual([undefined, undefined]);
    expect(Buffer.from(level.bytes(264)!).toString()).toBe('<|note é|>');
  });
});
