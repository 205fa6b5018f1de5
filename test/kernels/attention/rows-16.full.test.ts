import '../../support/lanes-16.js';
import { describeAttentionRows } from '../../support/attention-rows.js';

// No more than 16 lanes share a key, so this is what GPUs with subgroups of 32 compile too.
describeAttentionRows({
  f16: [
    { heads: 2, kvHeads: 2, headDim: 128 },
    { heads: 4, kvHeads: 1, headDim: 96 },
    { heads: 8, kvHeads: 1, headDim: 64 },
  ],
  f32: [{ heads: 4, kvHeads: 2, headDim: 32 }],
  int8: [{ heads: 2, kvHeads: 1, headDim: 80 }],
});
