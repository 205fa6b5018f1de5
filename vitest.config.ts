import { configDefaults, defineConfig } from 'vitest/config';

/** Where `.ci/run` wants the counts. */
const report = process.env.RIDGEPOINT_TEST_REPORT;

/** `*.full.test.ts`, and the runs of properties at full length, are for `npm run test:all` and for who names such a file. */
const full = process.env.RIDGEPOINT_TEST_FULL === '1' || process.argv.some((argument) => /\.full\b/.test(argument));

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(full ? [] : ['test/**/*.full.test.ts'])],
    // A process each: Dawn holds process-wide state, and a crash in one must not take the others along.
    pool: 'forks',
    // The kernels that are tested are not those that somebody's `ridgepoint tune` happened to choose.
    env: { RIDGEPOINT_TUNING: 'off', RIDGEPOINT_TEST_SCALE: process.env.RIDGEPOINT_TEST_SCALE ?? (full ? '1' : '0.1') },
    maxWorkers: 2,
    // Software drivers on two cores are slow, and a pipeline's first compilation slower.
    // These limits end what hangs; on a machine with other work to do a test may well take ten times as long as alone.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    teardownTimeout: 10_000,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
});
