import { describe } from 'vitest';
import { describeAttentionRows } from '../../support/attention-rows.js';
import { emulatingAdapters, gpuOf32Lanes } from '../../support/nvidia.js';

const names = (await emulatingAdapters()).slice(0, 1);

// lavapipe can be told to have subgroups of 32, and then says so, but runs 16 lanes in each: what is left unwritten on it
// are the places of the others. So the lanes are emulated.
describe.skipIf(names.length === 0)(`32 lanes, emulated on ${names[0] ?? 'an adapter with f16'}`, () => {
  describeAttentionRows(
    {
      f16: [
        { heads: 2, kvHeads: 2, headDim: 128 },
        { heads: 4, kvHeads: 1, headDim: 96 },
      ],
      f32: [{ heads: 4, kvHeads: 2, headDim: 32 }],
      int8: [{ heads: 2, kvHeads: 1, headDim: 80 }],
    },
    { names: names.length > 0 ? names : ['none'], open: gpuOf32Lanes },
  );
});
