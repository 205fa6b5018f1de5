import { configDefaults, defineConfig } from 'vitest/config';
import { embedShaders } from './scripts/embed-shaders.mjs';

// Tests run the sources, with the shaders as they are now.
embedShaders(import.meta.dirname);

/** Where `.ci/run` wants the counts. */
const report = process.env.RIDGEPOINT_TEST_REPORT;

/** `*.full.test.ts`, and the runs of properties at full length, are for `npm run test:all` and for who names such a file. */
const full = process.env.RIDGEPOINT_TEST_FULL === '1' || process.argv.some((argument) => /\.full\b/.test(argument));

const exclude = [...configDefaults.exclude, ...(full ? [] : ['test/**/*.full.test.ts'])];
/** Files that open no adapter and leave nothing changed: loading the modules they share takes longer than most of them. */
const PURE = [
  ...[
    'cluster/{block-events,buffer-pool,frame,ledger,membership,placement,role-balance,speed}',
    'engine/{cache-size,lookup,sampling,weight-format}',
    'gpu/*',
  ],
  ...['bench/{day,engines,estimate,kernel-time,plan,report,results,tables}', 'outlook/{explain,forecast}', 'tools/*'],
  ...['checkpoint/{checkpoint,convert,mistakes,packed,presets,shards,stream}', 'tuning/{contest,fingerprint,tune}'],
  ...['model/{config-keys,end-ids,family-config,graph,leftovers,open,operations,rope-table,step-buffer}'],
  ...['grammar', 'patterns', 'published', 'quantization', 'reference', 'roofline'].map((room) => `${room}/**/*`),
  ...['bench/{compare,kernels,runner,trace}', 'bench/serve/{load,openai,policies}', 'outlook/promises'],
  ...[
    'checkpoint/hub',
    'engine/{embed-run,evaluation,logprobs,memory-fit}',
    'model/{headless,pooling}',
    'outlook/prices',
  ],
  ...['platform/{chat-aside,devtools-pipe,kept-lines,kit,model-output,quiet,scripts,shader-texts,whole-file}'],
  ...['serving/{connections,embeddings,endpoints,fields,fuzz,json-excess,kept,lifetimes,loading,messages,page}'],
  ...[
    'serving/{mailbox,operating,refusals,responses-store,token-rules}',
    'cli/{command-tables,log-output,recorded,text-file}',
  ],
  ...['scheduler', 'simulator', 'tokenizer', 'traffic'].map((room) => `${room}/**/*`),
  ...['docs', 'names', 'rooms', 'statistics', 'web/{chats,expectation}', 'calibrate/{clock,efficiencies}'],
].map((files) => `test/${files}.test.ts`);

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'pure', include: PURE, exclude, isolate: false, setupFiles: ['test/support/quick.ts'] },
      },
      // A process each: Dawn holds process-wide state, and a crash in one must not take the others along.
      {
        extends: true,
        test: {
          name: 'one by one',
          include: ['test/**/*.test.ts'],
          exclude: [...exclude, ...PURE],
          setupFiles: ['test/support/quick.ts', 'test/support/variants/watch.ts'],
          globalSetup: ['test/support/variants/report.ts'],
        },
      },
    ],
    // A test that loops over an empty list would pass without having looked at anything.
    // What is waited for may take as long as a test.
    expect: { requireAssertions: true, poll: { timeout: 600_000 } },
    pool: 'forks',
    // The kernels that are tested are not those that somebody's `ridgepoint tune` happened to choose.
    env: {
      RIDGEPOINT_TUNING: 'off',
      RIDGEPOINT_TEST_SCALE: process.env.RIDGEPOINT_TEST_SCALE ?? (full ? '1' : '0.1'),
      // Tests compile many kernels and run each a few times: Mesa's compiler takes a third to a half less time for them
      // where it improves nothing. What it makes of the operations themselves is the same.
      GALLIVM_PERF: process.env.GALLIVM_PERF ?? 'nopt',
    },
    maxWorkers: 2,
    // Software drivers on two cores are slow, and a pipeline's first compilation slower.
    // These limits end what hangs; on a machine with other work to do a test may well take ten times as long as alone.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    teardownTimeout: 10_000,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
});
