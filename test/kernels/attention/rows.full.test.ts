import { describeAttentionRows } from '../../support/attention-rows.js';
import { ATTENTION_SHAPES } from './cases.js';

// A CPU driver compiles for many seconds what reads so much at once.
describeAttentionRows(ATTENTION_SHAPES);
