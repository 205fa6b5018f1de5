import { describeAttentionRows } from '../../support/attention-rows.js';
import { chosen } from '../../support/scale.js';

describeAttentionRows({
  f16: chosen([{ heads: 2, kvHeads: 1, headDim: 64 }], () => false),
  int8: [{ heads: 2, kvHeads: 2, headDim: 24 }],
});
