import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/open.js';
import { planShards, tensorBytes, type NewTensor } from '../../src/checkpoint/safetensors/shards.js';
import { MemoryFolder } from './support.js';

const groups: NewTensor[][] = [
  [{ name: 'odd', dtype: 'F16', shape: [3] }],
  [
    { name: 'a.qweight', dtype: 'I32', shape: [5, 3] },
    { name: 'a.scales', dtype: 'F16', shape: [3] },
  ],
  [{ name: 'large', dtype: 'BF16', shape: [64] }],
  [{ name: 'last', dtype: 'F32', shape: [2, 2] }],
];

describe('files of a checkpoint to be written', () => {
  it.each([
    ['one file', Infinity, ['model.safetensors']],
    ['several', 90, [1, 2, 3].map((i) => `model-0000${i}-of-00003.safetensors`)],
  ])('are planned as %s that the reader accepts', async (_, most, names) => {
    const plan = planShards(groups, { format: 'pt' }, most);
    expect(plan.files.map(({ name }) => name)).toEqual(names);
    const content: Record<string, Uint8Array | string> = {};
    for (const { name, header, bytes } of plan.files) {
      content[name] = new Uint8Array(bytes);
      content[name].set(header);
    }
    if (plan.index !== undefined) content['model.safetensors.index.json'] = plan.index;
    const checkpoint = await openCheckpoint(new MemoryFolder(content));
    for (const tensor of groups.flat()) {
      const found = checkpoint.tensors.get(tensor.name)!;
      const place = plan.places.get(tensor.name)!;
      expect(found).toMatchObject({ dtype: tensor.dtype, shape: tensor.shape, ...place });
      expect(found.begin % (tensor.dtype === 'F16' || tensor.dtype === 'BF16' ? 2 : 4)).toBe(0);
      expect(found.end - found.begin).toBe(tensorBytes(tensor));
    }
    // What belongs together is in one file, and a group too large for any has one to itself.
    expect(plan.places.get('a.qweight')!.file).toBe(plan.places.get('a.scales')!.file);
    expect(plan.bytes).toBe(plan.files.reduce((sum, { bytes }) => sum + bytes, 0));
  });
});
