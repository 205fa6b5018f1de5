import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/open.js';
import { RidgepointError } from '../../src/errors.js';
import { openFolder } from '../../src/platform/node/files.js';
import { hasStories, MemoryFolder, messageOf, safetensors, stories } from './support.js';

const bytes = (n: number, from = 0) => Uint8Array.from({ length: n }, (_, i) => (i + from) & 255);
const up = 'model.layers.3.mlp.up_proj.weight';
const index = (map: unknown) => JSON.stringify({ metadata: { total_size: 1 }, weight_map: map });

describe('openCheckpoint', () => {
  it('reads tensors of a single file', async () => {
    const folder = new MemoryFolder({
      'model.safetensors': safetensors({
        a: { dtype: 'F16', shape: [2, 2], data: bytes(8) },
        b: { dtype: 'F32', shape: [3], data: bytes(12, 100) },
      }),
    });
    const checkpoint = await openCheckpoint(folder);
    expect(checkpoint.totalBytes).toBe(20);
    expect(checkpoint.require('b', [3])).toMatchObject({ dtype: 'F32', file: 'model.safetensors' });
    const into = new Uint8Array(5);
    await checkpoint.readRange('b', 7, into);
    expect([...into]).toEqual([107, 108, 109, 110, 111]);
    await expect(checkpoint.readRange('b', 8, into)).rejects.toThrow(/b: bytes 8 to 13 lie outside its 12 bytes/);
    await expect(checkpoint.readRange('b', -1, into)).rejects.toThrow(RidgepointError);
    await checkpoint.close();
    expect(folder.opened.every((file) => !file.open)).toBe(true);
  });

  it('finds tensors over shards', async () => {
    const checkpoint = await openCheckpoint(
      new MemoryFolder({
        'model.safetensors.index.json': index({ a: 's1.safetensors', b: 's2.safetensors' }),
        's1.safetensors': safetensors({ a: { dtype: 'F16', shape: [4], data: bytes(8) } }),
        's2.safetensors': safetensors({
          a: { dtype: 'F16', shape: [1], data: bytes(2) }, // the index says that s1's is the one
          b: { dtype: 'BF16', shape: [4], data: bytes(8, 50) },
        }),
      }),
    );
    expect(checkpoint.tensors.get('a')).toMatchObject({ shape: [4], file: 's1.safetensors' });
    expect(checkpoint.totalBytes).toBe(16);
    const into = new Uint8Array(2);
    await checkpoint.readRange('b', 0, into);
    expect([...into]).toEqual([50, 51]);
  });

  it('says what was expected and what was found', async () => {
    const shard = 'model-00001-of-00002.safetensors';
    const checkpoint = await openCheckpoint(
      new MemoryFolder({
        'model.safetensors.index.json': index({ [up]: shard, q: shard }),
        [shard]: safetensors({
          [up]: { dtype: 'F16', shape: [11, 2], data: bytes(44) },
          q: { dtype: 'I8', shape: [4], data: bytes(4) },
        }),
      }),
    );
    expect(await messageOf(() => checkpoint.require(up, [11, 4]))).toBe(
      `${up}: expected [11, 4] float16, found [11, 2] in ${shard}`,
    );
    expect(await messageOf(() => checkpoint.require('q', [4]))).toBe(
      `q: expected [4] in one of float32, float16, bfloat16, found [4] I8 in ${shard}`,
    );
    expect(await messageOf(() => checkpoint.require('missing', [4]))).toBe(
      `missing: expected [4], found no tensor of that name in ${shard}`,
    );
    expect(await messageOf(() => checkpoint.require('constructor', [4]))).toMatch(/no tensor of that name/);
  });

  it('finds shards without an index, a single file of any name, and what an index forgets', async () => {
    const one = safetensors({ a: { dtype: 'F16', shape: [4], data: bytes(8) } });
    const two = safetensors({ b: { dtype: 'F16', shape: [4], data: bytes(8) } });
    const index = (map: object): string => JSON.stringify({ weight_map: map });
    const cases: [Record<string, Uint8Array | string>, string[]][] = [
      [{ 'model-00001-of-00001.safetensors': one }, ['a']],
      [{ 'model-00001-of-00002.safetensors': one, 'model-00002-of-00002.safetensors': two }, ['a', 'b']],
      [{ 'gptq_model-4bit-128g.safetensors': one, 'adapter_model.safetensors': two }, ['a']],
      [{ 'model.safetensors.index.json': index({ a: 's', gone: 's' }), s: one }, ['a']],
      [{ 'model.safetensors.index.json': index({ a: 's', z: 't' }), s: one, t: two }, ['a', 'b']],
    ];
    for (const [files, names] of cases) {
      const checkpoint = await openCheckpoint(new MemoryFolder(files));
      expect([...checkpoint.tensors.keys()].sort()).toEqual(names);
      await checkpoint.close();
    }
  });

  it('refuses folders and indexes that do not add up, and leaves no file open', async () => {
    const good = safetensors({ a: { dtype: 'F16', shape: [4], data: bytes(8) } });
    const name = 'model.safetensors.index.json';
    const cases: [Record<string, Uint8Array | string>, RegExp][] = [
      [{}, /^memory: has no model.safetensors; it is empty/],
      [{ 'config.json': '{}' }, /^memory: has neither model.safetensors nor/],
      [
        { 'pytorch_model.bin': 'x' },
        /has no model.safetensors; it holds pytorch_model.bin, a file of PyTorch's; convert/,
      ],
      [{ 'model.safetensors': good.slice(0, -1) }, /^model.safetensors: a ends at byte .* download it again/],
      [{ [name]: '{' }, /not valid JSON/],
      [{ [name]: 'null' }, /"weight_map" is missing/],
      [{ [name]: '{"weight_map":[]}' }, /"weight_map" is missing/],
      [{ [name]: '{"weight_map":{}}' }, /"weight_map" is empty/],
      [{ [name]: index({ a: 3 }) }, /a is said to be in 3, which is not a file/],
      [
        { [name]: index({ a: 's.safetensors', b: 't.safetensors' }), 's.safetensors': good },
        /^t.safetensors: .*missing from memory/,
      ],
      [{ 'model-00001-of-00002.safetensors': good }, /has no .*index.json, and 1 of the 2 files model-\*/],
      [{ 'a.safetensors': good, 'b.safetensors': good }, /but a.safetensors, b.safetensors; name the one to use/],
      [
        { [name]: index({ x: 's.safetensors', y: 't.safetensors' }), 's.safetensors': good, 't.safetensors': good },
        /^a: is in both s.safetensors and t.safetensors; remove one/,
      ],
      [{ [name]: index({ a: 's.safetensors' }), 's.safetensors': 'junk' }, /^s.safetensors: has only 4 bytes/],
    ];
    for (const outside of ['../x', '/etc/passwd', 'sub/x', '..', 'c:x', '..\\x', '']) {
      cases.push([{ [name]: index({ a: outside }) }, /not a file of the model's folder/]);
    }
    for (const [files, message] of cases) {
      const folder = new MemoryFolder(files);
      expect(await messageOf(() => openCheckpoint(folder))).toMatch(message);
      expect(folder.opened.every((file) => !file.open)).toBe(true);
    }
  });

  it.skipIf(!hasStories)('opens a real checkpoint (skipped without ../shared/data)', async () => {
    const checkpoint = await openCheckpoint(await openFolder(stories));
    const embedding = checkpoint.require('model.embed_tokens.weight', [512, 64]);
    expect(embedding).toMatchObject({ dtype: 'F16', file: 'model.safetensors' });
    expect(checkpoint.require('model.layers.4.mlp.down_proj.weight', [64, 172]).dtype).toBe('F16');
    const into = new Uint8Array(512 * 64 * 2);
    await checkpoint.readRange('model.embed_tokens.weight', 0, into);
    expect(into.some((byte) => byte !== 0)).toBe(true);
    await checkpoint.close();
  });
});
