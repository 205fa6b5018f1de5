import { describe, expect, it } from 'vitest';
import { ApiError } from '../../src/serving/errors.js';
import { JsonExcess } from '../../src/serving/http/json-excess.js';
import { WrittenJson } from '../../src/serving/schema/written-json.js';

const list = (count: number, item: (at: number) => string): string =>
  `[${Array.from({ length: count }, (_, at) => item(at)).join(',')}]`;
const excessOf = (json: string): string | undefined => new JsonExcess('it', 100_000).of(Buffer.from(json));

describe('what JSON has too much of', () => {
  it('is seen before anything is made of it', () => {
    expect(excessOf('['.repeat(64) + ']'.repeat(64))).toBeUndefined();
    expect(excessOf('['.repeat(65))).toBe('it is nested more than 64 levels deep');
    expect(excessOf(list(65_535, () => '{}'))).toBeUndefined();
    expect(excessOf(list(65_536, () => '{}'))).toBe('it has more than 65536 objects, lists and strings');
    expect(excessOf(list(100_001, () => '1'))).toBeUndefined();
    expect(excessOf(list(100_002, () => '1'))).toBe('it has more than 100000 items');
  });

  it('are names, of which the same one counts once, and texts are none', () => {
    expect(excessOf(list(8192, (at) => `{"k${at}" : 1}`))).toBeUndefined();
    // Names are told apart by a hash of 32 bits that is another in each process: a few may count as one.
    expect(excessOf(list(9000, (at) => `{"k${at}"\n:\t1}`))).toBe('it has more than 8192 names of keys that differ');
    expect(excessOf(list(20_000, (at) => `{"role": "k${at}"}`))).toBeUndefined();
    expect(excessOf(list(20_000, (at) => `"k${at}\\":"`))).toBeUndefined();
  });

  it('is counted over all texts of a request', () => {
    const written = new WrittenJson('messages');
    const text = JSON.stringify(Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`a${at}`, at])));
    expect(written.read(text)).toEqual(JSON.parse(text));
    expect(written.read('no JSON')).toBe('no JSON');
    const more = text.replaceAll('"a', '"b');
    expect(() => written.read(more)).toThrow('messages: the JSON in its texts has more than 8192 names of keys');
    expect(() => written.read(more)).toThrow(ApiError);
  });
});
