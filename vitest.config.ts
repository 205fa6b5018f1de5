import { defineConfig } from 'vitest/config';

/** Where `.ci/run` wants the counts. */
const report = process.env.RIDGEPOINT_TEST_REPORT;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A process each: Dawn holds process-wide state, and a crash in one must not take the others along.
    pool: 'forks',
    // The kernels that are tested are not those that somebody's `ridgepoint tune` happened to choose.
    env: { RIDGEPOINT_TUNING: 'off' },
    maxWorkers: 2,
    // Software drivers on two cores are slow, and a pipeline's first compilation slower.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 10_000,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
});
