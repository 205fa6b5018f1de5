import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { readHeader } from '../../src/checkpoint/safetensors/header.js';
import type { SafetensorsHeader } from '../../src/checkpoint/safetensors/header.js';
import { RidgepointError } from '../../src/errors.js';
import { MemoryFile, messageOf, safetensors, withHeader } from './support.js';
import { isFull, scaled } from '../support/scale.js';

const parse = (file: Uint8Array) => readHeader(new MemoryFile('model.safetensors', file));
const refusal = (header: string, dataBytes = 8) =>
  messageOf(() => parse(withHeader(header, new Uint8Array(dataBytes))));
const tensor = (fields: string) => refusal(`{"w":{${fields}}}`);

function expectSound(header: SafetensorsHeader, fileSize: number, headerBytes: number): void {
  const ranges = [...header.tensors.values()].filter((t) => t.end > t.begin).sort((a, b) => a.begin - b.begin);
  let end = 8 + headerBytes;
  for (const range of ranges) {
    expect(range.begin).toBeGreaterThanOrEqual(end);
    expect(range.end).toBeLessThanOrEqual(fileSize);
    end = range.end;
  }
}

describe('safetensors header', () => {
  it('lists tensors with absolute byte ranges and skips the metadata', async () => {
    const file = safetensors({
      a: { dtype: 'F32', shape: [2, 3], data: new Uint8Array(24) },
      scalar: { dtype: 'BF16', shape: [], data: new Uint8Array(2) },
      empty: { dtype: 'F16', shape: [0, 7], data: new Uint8Array(0) },
      other: { dtype: 'F8_E4M3', shape: [3], data: new Uint8Array(3) },
      newer: { dtype: 'F12', shape: [3], data: new Uint8Array(5) },
    });
    const { tensors } = await parse(file);
    const data = file.length - 34;
    expect([...tensors.keys()]).toEqual(['a', 'scalar', 'empty', 'other', 'newer']);
    expect(tensors.get('a')).toEqual({ name: 'a', dtype: 'F32', shape: [2, 3], begin: data, end: data + 24 });
    expect(tensors.get('scalar')).toMatchObject({ shape: [], begin: data + 24, end: data + 26 });
    expect(tensors.get('newer')).toMatchObject({ dtype: 'F12', end: file.length });
  });

  it('reads the header only', async () => {
    const source = new MemoryFile(
      'huge.safetensors',
      withHeader(`{"w":{"dtype":"U8","shape":[${2 ** 40}],"data_offsets":[0,${2 ** 40}]}}`),
      2 ** 40 + 8 + `{"w":{"dtype":"U8","shape":[${2 ** 40}],"data_offsets":[0,${2 ** 40}]}}`.length,
    );
    expect((await readHeader(source)).tensors.size).toBe(1);
    expect(source.reads).toBe(2);
  });

  it('takes names that are special to JavaScript for what they are', async () => {
    const entry = '{"dtype":"U8","shape":[1],"data_offsets":';
    const header = `{"__proto__":${entry}[0,1]},"constructor":${entry}[1,2]},"toString":${entry}[2,3]}}`;
    const { tensors } = await parse(withHeader(header, new Uint8Array(3)));
    expect([...tensors.keys()]).toEqual(['__proto__', 'constructor', 'toString']);
    expect(({} as Record<string, unknown>)['dtype']).toBeUndefined();
    expect(await tensor('"__proto__":{"dtype":"U8"},"shape":[1],"data_offsets":[0,1]')).toMatch(
      /w: "dtype" is missing/,
    );
  });

  it('says what is wrong with a file that is too short or no safetensors file', async () => {
    expect(await messageOf(() => parse(new Uint8Array(7)))).toMatch(/^model.safetensors: has only 7 bytes.*again$/);
    const long = withHeader('{}');
    long[1] = 1;
    expect(await messageOf(() => parse(long))).toMatch(
      /header of 258 bytes, but the file has only 10; .*download it again/,
    );
    long.fill(255, 0, 8);
    expect(await messageOf(() => parse(long))).toMatch(
      /header of 18446744073709551615 bytes; this is no safetensors file/,
    );
    expect(await messageOf(() => parse(withHeader(new Uint8Array([0x22, 0xff, 0x22]))))).toMatch(/not valid JSON/);
    for (const header of ['', '{', 'null', '[]', '3', '"{}"']) {
      expect(await refusal(header)).toMatch(/not valid JSON|not a JSON object/);
    }
    expect(await refusal('['.repeat(200_000) + ']'.repeat(200_000))).toMatch(/nested more than 8 deep/);
  });

  it('refuses gaps and bytes behind the data, as the format’s own reader does', async () => {
    const at = (first: number, last: number): string =>
      `{"dtype":"U8","shape":[${last - first}],"data_offsets":[${first},${last}]}`;
    const file = (header: string, bytes: number) => messageOf(() => parse(withHeader(header, new Uint8Array(bytes))));
    expect(await file(`{"a":${at(0, 2)},"b":${at(3, 5)}}`, 5)).toMatch(/1 bytes before b belong to no tensor/);
    expect(await file(`{"a":${at(1, 3)}}`, 3)).toMatch(/1 bytes before a belong to no tensor/);
    expect(await file(`{"a":${at(0, 2)}}`, 5)).toMatch(/3 bytes at the end belong to no tensor/);
    expect(await file('{}', 1)).toMatch(/1 bytes at the end belong to no tensor/);
    expect(await file(`{"a":${at(0, 2)},"empty":${at(1, 1)},"b":${at(2, 3)}}`, 3)).toMatch(/share bytes/);
    const fine = `{"b":${at(2, 3)},"empty":${at(2, 2)},"a":${at(0, 2)}}   `;
    expect((await parse(withHeader(fine, new Uint8Array(3)))).tensors.size).toBe(3);
  });

  it('refuses a key that stands twice in one description, however it is written', async () => {
    for (const again of ['"dtype":"F16"', '"dt\\u0079pe":"F16"', '"shape" : [2]', '"data_offsets":[0,2]']) {
      const header = `{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1],${again}}}`;
      expect(await messageOf(() => parse(withHeader(header, new Uint8Array(1))))).toMatch(
        /the header has the key "(dtype|shape|data_offsets)" twice in one description/,
      );
    }
  });

  it('takes metadata as the format’s own reader does: strings, of which a key may have two', async () => {
    const of = (metadata: string) =>
      messageOf(() =>
        parse(withHeader(`{"__metadata__":${metadata},"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`)),
      );
    for (const wrong of ['5', '["a"]', '{"a":5}', '{"a":null}', '{"a":{}}']) {
      expect(await of(wrong)).toMatch(/"__metadata__" must be an object of strings/);
    }
    for (const right of [
      'null',
      '{}',
      '{"format":"pt","format":"np"}',
      `{${Array.from({ length: 40 }, (_, i) => `"k${i}":"dtype"`).join()}}`,
    ]) {
      const file = withHeader(`{"__metadata__":${right},"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`);
      expect((await parse(file)).tensors.size).toBe(1);
    }
    expect(await refusal('{"__metadata__":{},"__metadata__":{}}', 0)).toMatch(/__metadata__ is listed twice/);
  });

  it.runIf(isFull)('refuses what no header is before parsing it', async () => {
    const entry = '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}';
    const many = Array.from({ length: 250_001 }, (_, i) => `"${i}":${entry}`);
    const bombs: [string, RegExp][] = [
      [`{"__metadata__":${'['.repeat(1e6)}`, /nested more than 8 deep/],
      [`{"__metadata__":[${'{},'.repeat(1e6)}`, /list of more than 64/],
      [`{"w":{"shape":[${'1,'.repeat(1e6)}`, /list of more than 64/],
      [`{${many.join(',')}}`, /names more than 250000 things/],
      [`{${many.map((each) => each.replace(/:.*/, ':0')).join(',')}}`, /names more than 250000 things/],
    ];
    for (const [header, message] of bombs) {
      // What is parsed is counted: nothing of these.
      const parse = vi.spyOn(JSON, 'parse');
      expect(await refusal(header)).toMatch(message);
      const isShort = parse.mock.calls.every(([text]) => text.length < 200);
      parse.mockRestore();
      expect(isShort).toBe(true);
    }
    const rightly = `{${many.slice(0, 100_000).join(',')}}`;
    expect((await parse(withHeader(rightly))).tensors.size).toBe(100_000);
  });

  it('says what is wrong with a tensor', async () => {
    expect(await refusal('{"w":3}')).toMatch(/^model.safetensors: w: must be described by an object/);
    expect(await tensor('"shape":[1],"data_offsets":[0,1]')).toMatch(/"dtype" is missing/);
    for (const shape of [
      '',
      '"shape":{},',
      '"shape":[-1],',
      '"shape":[1.5],',
      '"shape":["1"],',
      '"shape":[1e300],',
      '"shape":[9007199254740992],',
    ]) {
      expect(await tensor(`"dtype":"U8",${shape}"data_offsets":[0,1]`)).toMatch(/w: "shape" is missing or not a list/);
    }
    expect(await tensor('"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,1]')).toMatch(
      /too many elements/,
    );
    for (const offsets of [
      '',
      ',"data_offsets":[0]',
      ',"data_offsets":[0,1,2]',
      ',"data_offsets":[-1,0]',
      ',"data_offsets":[0,1e99]',
    ]) {
      expect(await tensor(`"dtype":"U8","shape":[1]${offsets}`)).toMatch(/w: "data_offsets" is missing or not two/);
    }
    expect(await tensor('"dtype":"U8","shape":[1],"data_offsets":[2,1]')).toMatch(
      /ends at byte 1, before it begins at 2/,
    );
    expect(await tensor('"dtype":"F16","shape":[3],"data_offsets":[0,8]')).toMatch(
      /\[3\] F16 needs 6 bytes, but 8 are set aside/,
    );
    expect(await tensor('"dtype":"U8","shape":[9],"data_offsets":[0,9]')).toMatch(
      /w ends at byte 70, but the file has only 69 .* cut short, download it again$/,
    );
  });

  it('refuses overlaps and repeated names', async () => {
    const entry = (begin: number) => `{"dtype":"U8","shape":[4],"data_offsets":[${begin},${begin + 4}]}`;
    expect(await refusal(`{"a":${entry(0)},"b":${entry(3)}}`)).toMatch(/a and b share bytes/);
    expect(await refusal(`{"a\\"":${entry(0)} ,\n"a\\u0022" : ${entry(4)}}`)).toMatch(/a" is listed twice/);
    expect(await refusal(`{"\\u001b[31m":1}`)).toMatch(/\\u001b\[31m: must be/);
  });

  it('survives any damage to a header: a RidgepointError, or tensors that lie inside the file', async () => {
    const sound = safetensors(
      {
        'model.embed_tokens.weight': { dtype: 'F16', shape: [5, 4], data: new Uint8Array(40) },
        'model.norm.weight': { dtype: 'F32', shape: [4], data: new Uint8Array(16) },
        'lm_head.weight': { dtype: 'BF16', shape: [5, 4], data: new Uint8Array(40) },
      },
      3,
    );
    const splices = [
      '9007199254740993',
      '1e308',
      '-1',
      '4294967296',
      '{}',
      '[[[[',
      '"',
      '\\u0000',
      'null',
      '"__proto__":',
      '16',
      '0',
      '}',
      '1.5',
    ];
    const damage = fc.oneof(
      fc.record({ kind: fc.constant('flip' as const), at: fc.nat(sound.length * 8 - 1) }),
      fc.record({ kind: fc.constant('cut' as const), at: fc.nat(sound.length) }),
      fc.record({
        kind: fc.constant('splice' as const),
        at: fc.nat(sound.length),
        drop: fc.nat(6),
        text: fc.constantFrom(...splices),
      }),
      fc.record({ kind: fc.constant('double' as const), at: fc.nat(sound.length), drop: fc.nat(60) }),
    );
    const outcomes = { refused: 0, accepted: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 4 }), fc.boolean(), async (damages, fixLength) => {
        let file = sound.slice();
        for (const d of damages) {
          if (d.kind === 'flip') file[(d.at >> 3) % file.length] ^= 1 << (d.at & 7);
          if (d.kind === 'cut') file = file.slice(0, Math.max(1, d.at));
          if (d.kind === 'splice' || d.kind === 'double') {
            const at = Math.min(d.at, file.length);
            const middle = d.kind === 'splice' ? new TextEncoder().encode(d.text) : file.slice(at, at + d.drop);
            const rest = file.slice(d.kind === 'splice' ? at + d.drop : at);
            file = new Uint8Array([...file.slice(0, at), ...middle, ...rest]);
          }
        }
        // Damage after the length, with the length put right, gets further into the parser.
        if (fixLength && file.length > 104)
          new DataView(file.buffer).setBigUint64(0, BigInt(file.length - 8 - 96), true);
        try {
          const header = await parse(file);
          const headerBytes = Number(new DataView(file.buffer).getBigUint64(0, true));
          expectSound(header, file.length, headerBytes);
          outcomes.accepted++;
        } catch (error) {
          expect(error).toBeInstanceOf(RidgepointError);
          expect((error as RidgepointError).message).not.toMatch(/[\n\x1b]/);
          outcomes.refused++;
        }
      }),
      { numRuns: scaled(6000, 1500) },
    );
    expect(outcomes.refused).toBeGreaterThan(1000);
    expect(outcomes.accepted).toBeGreaterThan(10);
  });

  it('accepts hostile numbers only where they make sense', async () => {
    const number = fc.oneof(
      fc.integer({ min: -2, max: 20 }),
      fc.double(),
      fc.maxSafeInteger(),
      fc.constantFrom(2 ** 53, 1e308, 0.5),
    );
    const entry = fc.record({
      dtype: fc.constantFrom('U8', 'F16', 'F32', 'F4', 'X'),
      shape: fc.array(number, { maxLength: 3 }),
      data_offsets: fc.array(number, { minLength: 1, maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string(), fc.oneof({ weight: 20, arbitrary: entry }, fc.jsonValue()), { maxKeys: 4 }),
        async (header) => {
          const json = new TextEncoder().encode(JSON.stringify(header));
          const file = withHeader(json, new Uint8Array(16));
          try {
            expectSound(await parse(file), file.length, json.length);
          } catch (error) {
            expect(error).toBeInstanceOf(RidgepointError);
          }
        },
      ),
      { numRuns: scaled(4000, 800) },
    );
  });
});
