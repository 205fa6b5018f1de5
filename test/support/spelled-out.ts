import { expect } from 'vitest';

/** Files whose kernels spell out every number of a matrix, and those that compile every kernel of a model many times. */
const SPELLED_OUT = /kernels\/emulated\/|matmul\/skinny\.full|drivers\/trial\.full/;

// Mesa's compiler takes half as long for them when it improves nothing. The driver reads this once, when it is opened.
if (SPELLED_OUT.test(expect.getState().testPath ?? '')) process.env.GALLIVM_PERF ??= 'nopt';
