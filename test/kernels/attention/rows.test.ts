import { describeAttentionRows } from '../../support/attention-rows.js';

describeAttentionRows({
  f16: [{ heads: 2, kvHeads: 1, headDim: 64 }],
  int8: [{ heads: 2, kvHeads: 2, headDim: 24 }],
});
