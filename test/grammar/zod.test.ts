import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compileJsonConstraint } from '../../src/grammar/index.js';
import { awkward, takes } from './vocabularies.js';

const a = z.object({ a: z.string() });
const ID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';

/** Of 253 characters, which are the most, and one more; with a dot at the end of either. */
const LONG_HOSTS = ['a', 'ab'].flatMap((end) => {
  const host = `${'a'.repeat(62)}.`.repeat(4) + end;
  return [host, `${host}.`];
});
const HOSTS = ['example.com', 'a', 'a-b.c9.', 'b'.repeat(63), ...LONG_HOSTS, '-a', 'a-.b', 'a..b', '.', '', 'é', 'c'.repeat(64)]; // prettier-ignore

/**
 * What people write in zod, with values of which some fit and some do not: zod itself says which. Keys stand in the
 * schema's order, as the grammar has them, and numbers as it writes them; undefined cannot be written and fits nothing.
 */
const SHAPES: Readonly<Record<string, readonly [z.ZodType, ...unknown[]]>> = {
  string: [z.string(), '', 'a', 1, null],
  'string of lengths': [z.string().min(2).max(3), 'a', 'ab', 'abc', 'abcd'],
  'string of a length': [z.string().length(2), 'a', 'é😀', 'abc'],
  'string of a pattern': [z.string().regex(/^a+$/), 'aa', 'ab'],
  'string that starts so': [z.string().startsWith('a.'), 'a.b', 'ab'],
  'string that ends so': [z.string().endsWith('b'), 'ab', 'ba'],
  'string that has so': [z.string().includes('c'), 'acb', 'ab'],
  email: [z.email(), 'ann@example.com', 'ann@', 'example.com'],
  url: [z.url(), 'https://example.com/x', 5],
  uuid: [z.uuid(), ID, ID.slice(1)],
  nanoid: [z.nanoid(), 'V1StGXR8_Z5jdHi6B-myT', 'V1StGXR8'],
  ulid: [z.ulid(), '01ARZ3NDEKTSV4RRFFQ69G5FAV', '01ARZ3'],
  ipv4: [z.ipv4(), '10.0.0.255', '10.0.0.256', '10.0.0'],
  ipv6: [z.ipv6(), '2001:db8::1', '::1', ':1'],
  cidrv4: [z.cidrv4(), '10.0.0.0/8', '10.0.0.0/33'],
  base64: [z.base64(), 'aGk=', 'aGk'],
  e164: [z.e164(), '+4915112345678', '0151'],
  date: [z.iso.date(), '2024-02-29', '2023-02-29'],
  time: [z.iso.time(), '23:59:59', '24:00:00'],
  datetime: [z.iso.datetime(), '2024-02-29T23:59:59Z', '2024-02-29'],
  'datetime of a place': [z.iso.datetime({ offset: true }), '2024-02-29T23:59:59+02:00', '2024-02-29T23:59'],
  duration: [z.iso.duration(), 'P1DT2H', 'P', 'PT'],
  'datetime of no place': [z.iso.datetime({ local: true }), '2024-02-29T23:59', '2024-02-29 23:59'],
  emoji: [z.emoji(), '😀', '👩‍👩‍👧', '1️⃣', 'a', '1'],
  guid: [z.guid(), ID, ID.slice(1)],
  cuid: [z.cuid(), 'cjld2cjxh0000qzrmn831i7rn', 'x'],
  cuid2: [z.cuid2(), 'tz4a98xxat96iws9zmbrgj3a', 'X'],
  xid: [z.xid(), '9m4e2mr0ui3e8a215n4g', '9m4e'],
  ksuid: [z.ksuid(), '0ujtsYcgvSTl8PAuAdqWYSMnLOv', '0ujt'],
  mac: [z.mac(), '00:1A:2B:3C:4D:5E', '00:1a:2B:3C:4D:5E'],
  cidrv6: [z.cidrv6(), '2001:db8::/32', '2001:db8::'],
  base64url: [z.base64url(), 'aGk', 'aGk=', '+'],
  hostname: [z.hostname(), ...HOSTS],
  hex: [z.hex(), 'fF', 'g'],
  hash: [z.hash('md5'), 'd41d8cd98f00b204e9800998ecf8427e', 'd41d'],
  lowercase: [z.string().lowercase(), 'aß1', 'A'],
  uppercase: [z.string().uppercase(), 'A1', 'a'],
  number: [z.number(), 1, -2.5, '1'],
  'number above': [z.number().positive(), 0.5, 0, -1],
  'number between': [z.number().gt(1).lt(3), 2, 2.9, 1, 3],
  int: [z.int(), 3, -3, 2.5],
  'int of a range': [z.int().min(1).max(5), 1, 5, 0, 6],
  'int below': [z.int().negative(), -1, 0],
  'multiples of 5': [z.int().multipleOf(5), 10, -5, 7],
  'steps of a half': [z.number().multipleOf(0.5), 1.5, 1, 1.25],
  boolean: [z.boolean(), true, false, 'true'],
  null: [z.null(), null, 0],
  anything: [z.json(), null, [1, { b: ['x'] }], 'x', undefined],
  literal: [z.literal('a'), 'a', 'b'],
  literals: [z.literal(['a', 1, null]), 'a', 1, null, 'b', 2],
  enum: [z.enum(['a', 'b']), 'a', 'b', 'c'],
  nullable: [z.string().nullable(), null, 'a', 1],
  array: [z.array(z.int()), [], [1, 2], ['a']],
  'array of lengths': [z.array(z.int()).min(1).max(2), [1], [1, 2], [], [1, 2, 3]],
  tuple: [z.tuple([z.string(), z.int()]), ['a', 1], ['a'], [1, 'a']],
  'tuple and more': [z.tuple([z.string()], z.int()), ['a'], ['a', 1, 2], [1], ['a', 'b']],
  object: [a.extend({ b: z.int().optional() }), { a: 'x' }, { a: 'x', b: 1 }, {}, { a: 1 }, { a: 'x', b: 'y' }],
  'strict object': [z.strictObject({ a: z.string() }), { a: 'x' }, { a: 'x', c: 1 }],
  'loose object': [z.looseObject({ a: z.string() }), { a: 'x', c: [1] }, { c: 1 }],
  catchall: [a.catchall(z.int()), { a: 'x', c: 1 }, { a: 'x', c: 'y' }],
  partial: [a.partial(), {}, { a: 'x' }, { a: 1 }],
  nullish: [z.object({ a: z.string().nullish() }), {}, { a: null }, { a: 'x' }, { a: 1 }],
  'union of types': [z.union([z.string(), z.int()]), 'a', 1, null],
  'union by a key': [
    z.discriminatedUnion('k', [
      z.object({ k: z.literal('n'), n: z.int() }),
      z.object({ k: z.literal('s'), s: z.string() }),
    ]),
    ...[{ k: 'n', n: 1 }, { k: 's', s: 'x' }, { k: 'n', s: 'x' }, { k: 'o', n: 1 }],
  ],
  intersection: [z.intersection(a, z.object({ b: z.int() })), { a: 'x', b: 1 }, { a: 'x' }, { b: 1 }],
  record: [z.record(z.string(), z.int()), {}, { a: 1, z: 2 }, { a: 'x' }],
  'record of an enum': [z.record(z.enum(['a', 'b']), z.int()), { a: 1, b: 2 }, { a: 1 }, { a: 1, b: 2, c: 3 }],
  'record of some of an enum': [z.partialRecord(z.enum(['a', 'b']), z.int()), {}, { b: 2 }, { c: 3 }],
  'record of a pattern': [z.record(z.string().regex(/^k/), z.int()), { k1: 1 }, { l: 1 }],
  'template of parts': [z.templateLiteral(['a-', z.int()]), 'a-5', 'a-x', '5'],
  described: [z.string().describe('A name.').meta({ title: 'Name', examples: ['Ann'] }), 'Ann', 5],
  recursive: [
    z.object({ v: z.int(), get kids() { return z.array(z.object({ v: z.int() })); } }),
    ...[{ v: 1, kids: [] }, { v: 1, kids: [{ v: 2 }] }, { v: 1 }, { v: 1, kids: [{}] }],
  ],
}; // prettier-ignore

describe('schemas that zod makes', () => {
  it('for OpenAPI 3.0, which has marks in place of exclusive limits', () => {
    const [shape] = SHAPES['number between'];
    const constraint = compileJsonConstraint(z.toJSONSchema(shape, { target: 'openapi-3.0' }), awkward);
    const fits = ['1', '1.5', '3'].filter((text) => takes(constraint.create(), awkward, text));
    expect(fits).toEqual(['1.5']);
  });

  it.each(Object.entries(SHAPES))('%s', (_, [shape, ...values]) => {
    const constraint = compileJsonConstraint(z.toJSONSchema(shape), awkward);
    const written = values.filter((value) => value !== undefined);
    const fits = (value: unknown): boolean => takes(constraint.create(), awkward, JSON.stringify(value));
    const right = written.filter((value) => shape.safeParse(value).success);
    expect(right.length).toBeGreaterThan(0);
    expect(right.length).toBeLessThan(values.length);
    expect(written.filter(fits)).toEqual(right);
  });
});
