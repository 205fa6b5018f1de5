import type { BatchShape } from '../../src/model/operations.js';
import { decodeStep } from '../../src/roofline/predict/decode-line.js';
import type { OperationsRecord } from '../schema.js';

/** The step that a profile is of. */
export const stepOf = ({
  phase,
  tokens,
  batch,
  context,
}: Pick<OperationsRecord, 'phase' | 'tokens' | 'batch' | 'context'>): BatchShape =>
  phase === 'decode'
    ? decodeStep(context, batch)
    : { sequences: [{ newTokens: tokens, context, prefill: true }], logitRows: 1 };
