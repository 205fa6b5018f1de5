import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { describe, expect, it } from 'vitest';
import { BENCH_DISAGGREGATE } from '../../src/cli/commands/bench-disaggregate/flags.js';
import { BENCH_KERNELS } from '../../src/cli/commands/bench-kernels/flags.js';
import { BENCH_SERVE } from '../../src/cli/commands/bench-serve/flags.js';
import { BENCH } from '../../src/cli/commands/bench/flags.js';
import { CALIBRATE } from '../../src/cli/commands/calibrate/command.js';
import { CHAT } from '../../src/cli/commands/chat/command.js';
import { CLUSTER } from '../../src/cli/commands/cluster/command.js';
import { COMPARE } from '../../src/cli/commands/compare/command.js';
import { DRAIN } from '../../src/cli/commands/drain/command.js';
import { EVALUATE } from '../../src/cli/commands/evaluate/command.js';
import { EXPLAIN } from '../../src/cli/commands/explain/command.js';
import { GENERATE } from '../../src/cli/commands/generate/command.js';
import { IMPORT } from '../../src/cli/commands/import/command.js';
import { COMMANDS } from '../../src/cli/commands/index.js';
import { LEDGER } from '../../src/cli/commands/ledger/command.js';
import { PROFILE } from '../../src/cli/commands/profile/command.js';
import { QUANTIZE } from '../../src/cli/commands/quantize/command.js';
import { ROUTER } from '../../src/cli/commands/router/command.js';
import { SEEDS } from '../../src/cli/commands/seeds/command.js';
import { SERVE } from '../../src/cli/commands/serve/command.js';
import { TUNE } from '../../src/cli/commands/tune/command.js';
import { WEB } from '../../src/cli/commands/web/command.js';
import { WORKER } from '../../src/cli/commands/worker/command.js';
import { CONTROL } from '../../src/cli/options/control.js';
import { COMMON } from '../../src/cli/options/common.js';
import { HTTP } from '../../src/cli/options/http.js';
import { optionOf, withDefaults, type CommandTable } from '../../src/cli/options/command-table.js';
import { WIRE } from '../../src/cli/options/wire.js';
import { inFlagWords } from '../../src/cli/options/names.js';
import { PREDICT } from '../../src/cli/commands/predict/flags.js';
import { SIMULATE } from '../../src/cli/commands/simulate/flags.js';
import { anyText } from '../../src/engine/options/kinds.js';
import { entryOf, OPTIONS } from '../../src/engine/options/table.js';
import { RidgepointError } from '../../src/errors.js';
import { toApiError } from '../../src/serving/errors.js';
import { commandFlag, option, words, type CommandOptionName, type OptionName } from '../../src/wording.js';

const root = join(import.meta.dirname, '..', '..');

/** A text that stands for no value, and of a list the part that does not. */
type Bad = string | readonly [text: string, part: string];

/** The same of every option that takes a text and not any. */
const BAD: Readonly<Partial<Record<keyof typeof TABLES, Readonly<Record<string, Readonly<Record<string, Bad>>>>>>> = {
  predict: {
    where: {
      ...{ model: ' ', hardware: ' , ', adapter: '', calibration: ' ', prompt: '0', output: '1,x', cached: '-1' },
    },
    batch: { batch: '1..x' },
    how: {
      ...{ weightDtype: 'f16,int3', kvDtype: 'bf16', computeDtype: 'int3', kernels: 'cuda', engine: 'tgi' },
      ...{ tp: '0', pp: '1.5', prefillChunk: '0' },
    },
    map: { against: '' },
    limits: { ttft: 'soon', itl: '' },
    crossoverBatch: { batch: ',' },
    range: { from: '0', to: '-1' },
    steps: { chunk: '-1', decoding: 'many', context: '0.5' },
    guesses: { draft: ' ', draftTokens: '0', acceptance: '70' },
    tokens: { usdPerHour: '2,free', watts: '0', network: '-1' },
    chip: {
      ...{ chip: 'tpu', die: '0', memory: 'all', memoryType: 'ddr', bandwidth: '-1', packages: '0', price: 'none' },
      cluster: 'prefill=x',
    },
  },
  simulate: {
    load: {
      ...{ trace: 'conv.csv', rate: '0', duration: '-1', numPrompts: '0', resample: 'twice', inputLen: '5-3' },
      ...{ outputLen: '0', seed: '-1', seeds: '0', firstTokenAt: 'client', warmup: 'mser' },
    },
    slo: { slo: 'ttft:90:500' },
    price: { price: 'h100' },
    output: { report: ' ' },
    run: { output: '' },
    window: { traceWindow: '2..1 x' },
    provision: { most: '0', pools: 'prefill=8xspad-prefill', model: ' ', weights: ' ' },
    gain: {
      ...{ prefill: ' ', decode: '', model: ' ', weights: '', network: '8..1', latency: 'none' },
      ...{ promptLen: '1,,2', answerLen: '0' },
    },
    sweep: { output: ' ', threads: '0' },
    replay: { calibration: ' ', adapter: ' ', fit: '' },
    replicate: { data: '', seeds: '0' },
  },
  bench: {
    all: {
      ...{ prompts: '1,,2', contexts: '-1', batches: 'a,b', gen: '1', repetitions: '0', warmup: '-1', budget: '0.5' },
      ...{ only: ['operations,foo', 'foo'], output: ' ', resume: '', format: 'xml' },
    },
  },
  benchDisaggregate: {
    what: {
      ...{ pair: 'llvmpipe', prompts: '16', outputs: '1', network: ['none,0', '0'], delay: ['0,-1', '-1'] },
      ...{ chunk: '8', repetitions: '0', warmup: '-1' },
    },
    result: { output: '', svg: ' ', statistic: 'mean', format: 'csv' },
  },
  benchKernels: {
    points: {
      ...{ model: ['tiny-tales,', ''], shapes: ['4x4,4x', '4x'], only: ['norm,x', 'x'], variants: ['', ''] },
      ...{ rows: '1,0', contexts: 'all', dtype: 'int3', activations: 'f64', kvDtype: 'int4' },
    },
    run: { budget: '0', format: 'csv', output: '' },
  },
  benchServe: {
    load: {
      ...{ numPrompts: '0', arrival: 'bus', requestRate: '-inf', burstiness: 'inf', cv: '0', maxConcurrency: '0' },
      ...{ inputLen: '5-3', outputLen: 'x', trace: ' ', traceScale: '0', lengthScale: '-1', sharedPrefix: '-1' },
      ...{ abortShare: '2', seed: '0.5' },
    },
    answers: { warmup: '-1' },
    server: { baseUrl: '', apiKey: ' ', servedModel: '', endpoint: 'chats', vocabSize: '1', extraBody: '[1]' },
    policies: { policies: ['chunked,fair', 'fair'] },
    modes: { rounds: '0', scenario: 'short', sequences: '0', longPrompt: '0' },
    result: {
      ...{ goodput: ['ttft:500 itl:5', 'itl:5'], metricPercentiles: ['50,101', '101'] },
      ...{ percentileMetrics: ['ttft,x', 'x'], output: '', svg: ' ', format: 'svg' },
    },
  },
  calibrate: { parts: { matricesFrom: 'first' } },
  cluster: { workers: { worker: 'prefill@' }, network: { nats: 'tcp' } },
  compare: {
    hardware: { calibration: '', hardware: ' ', kernels: 'cuda' },
    output: { report: '', svg: ' ', png: '', failAbove: 'much', statistic: 'mean' },
  },
  evaluate: {
    all: { tasks: ' ', window: '1', stride: '0', tokens: '1', documents: '', against: 'int3' },
  },
  control: { all: { natsTlsCa: '', natsTlsCert: ' ', natsTlsKey: '' } },
  drain: { all: { cluster: 'tls://', timeout: '0' } },
  explain: { all: { without: '' } },
  generate: { prompt: { promptFile: '', promptIds: '1,two' } },
  http: {
    clients: { port: '65536', apiKey: '', allowedHost: '', cors: '', servedModelName: '' },
    requests: {
      ...{ toolFormat: 'xml', maxQueue: '-1', bodyLimit: '0', requestTimeout: '0', stallTimeout: 'soon' },
      ...{ sseKeepAlive: '-1', keepAlive: '0', shutdownTimeout: '2147484', logLevel: 'loud' },
    },
  },
  import: { all: { tp: '0' } },
  ledger: { all: { rows: ' ', fetch: ' ', report: ' ' } },
  profile: { all: { prompt: '0', decode: '-1', batch: '0', tokens: '-1', output: '' } },
  router: {
    workers: { worker: '127.0.0.1:70000', cluster: 'http://h' },
    placement: { placement: 'nearest', workerSilence: '0' },
  },
  seeds: { all: { document: '005', only: 'constructor' } },
  serve: {
    prompts: { prefillWorker: 'localhost' },
    promises: { ttftSlo: '0', itlSlo: 'soon' },
  },
  tune: { all: { budget: '0' } },
  web: { all: { port: '-1' } },
  wire: { all: { clusterTlsCert: '', clusterTlsKey: ' ', clusterTlsCa: '' } },
  worker: {
    all: { role: 'none', calibration: ' ', listen: ':7070', advertise: 'host', cluster: 'nats://', maxQueue: '-1' },
  },
};

const TABLES = {
  predict: PREDICT,
  simulate: SIMULATE,
  bench: { all: BENCH },
  benchDisaggregate: BENCH_DISAGGREGATE,
  benchKernels: BENCH_KERNELS,
  benchServe: BENCH_SERVE,
  calibrate: CALIBRATE,
  chat: CHAT,
  cluster: CLUSTER,
  common: COMMON,
  compare: COMPARE,
  evaluate: { all: EVALUATE },
  control: { all: CONTROL },
  drain: { all: DRAIN },
  explain: { all: EXPLAIN },
  generate: GENERATE,
  http: HTTP,
  import: { all: IMPORT },
  ledger: { all: LEDGER },
  profile: { all: PROFILE },
  quantize: { all: QUANTIZE },
  router: ROUTER,
  seeds: { all: SEEDS },
  serve: SERVE,
  tune: { all: TUNE },
  web: { all: WEB },
  wire: { all: WIRE },
  worker: { all: WORKER },
} as const;

interface Case {
  readonly owner: keyof typeof TABLES;
  readonly table: string;
  readonly name: string;
  readonly entry: CommandTable[string];
}

const ALL = (Object.keys(TABLES) as (keyof typeof TABLES)[]).flatMap((owner) =>
  Object.entries(TABLES[owner] as Readonly<Record<string, CommandTable>>).flatMap(([table, entries]) =>
    Object.entries(entries).map(([name, entry]): Case => ({ owner, table, name, entry })),
  ),
);

function refusal(work: () => unknown): RidgepointError {
  try {
    work();
  } catch (error) {
    if (error instanceof RidgepointError) return error;
  }
  throw new Error('nothing was refused in a sentence of ours');
}

describe('options that one command has', () => {
  it.each(ALL.filter(({ entry }) => entry.flags.includes('<') && entry.kind !== anyText))(
    '$owner, $table: a bad $name is refused in one sentence under its flag',
    ({ owner, table, name, entry }) => {
      const full: CommandOptionName = `${owner}.${name}`;
      const bad = BAD[owner]?.[table]?.[name];
      const [given, part] = typeof bad === 'string' ? [bad, bad] : bad!;
      const error = refusal(() => optionOf(owner, name, entry).parseArg!(given, undefined));
      expect(error).toMatchObject({ code: 'usage', option: full });
      const [flag] = entry.flags.split(' ');
      const sentence = inFlagWords(error);
      expect(sentence).toBe(
        `${flag} must be ${entry.kind.wantedText ?? entry.kind.wanted}, found ${JSON.stringify(part)}`,
      );
      expect(sentence).not.toMatch(/\n|\.$/);
      // They have no other name for anybody.
      expect([error.message, toApiError(error).message]).toEqual([sentence, sentence]);
    },
  );

  it.each(ALL)('$owner, $table: $name is its flag, and what commander calls its value', ({ owner, name, entry }) => {
    const made = optionOf(owner, name, entry);
    const value = name.replace(/^no(?=[A-Z])(.)/, (_, first: string) => first.toLowerCase());
    expect(made.attributeName()).toBe(value);
    expect(commandFlag(`${owner}.${name}`)).toBe(entry.flags.split(' ')[0]);
  });

  it('have defaults that they would take', () => {
    for (const { entry, name } of ALL) {
      const { default: usual, kind } = entry;
      if (usual !== undefined)
        expect(kind.read(kind.show?.(usual) ?? String(usual as string | number), undefined), name).toEqual(usual);
    }
  });

  it('are in tables, all that commands have', async () => {
    const known = new Set([
      ...ALL.map(({ entry }) => entry.flags),
      ...Object.keys(OPTIONS).map((name) => entryOf(name as OptionName).flags),
    ]);
    const walk = (command: Command): string[] => [
      ...command.options.map(({ flags }) => flags),
      ...command.commands.flatMap((each) => walk(each as Command)),
    ];
    for (const { name, load } of COMMANDS) {
      const command = new Command(name);
      (await load()).declare(command);
      const all = walk(command);
      expect(all.length, name).toBeGreaterThan(0);
      expect(
        all.filter((flags) => !known.has(flags)),
        name,
      ).toEqual([]);
    }
  });

  it('have what their table says where nobody asks', () => {
    const { listen, role } = withDefaults(WORKER, { role: 'prefill' });
    expect([listen, role]).toEqual([{ host: '127.0.0.1', port: 7070 }, 'prefill']);
    expect(withDefaults(HTTP.requests, { ui: false, keepAlive: undefined })).toMatchObject({
      ui: false,
      keepAlive: 72,
    });
  });

  it('are there, where a sentence speaks of one', () => {
    const known = new Set(ALL.map(({ owner, name }) => `${owner}.${name}`));
    const spoken = ['src', 'bench'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.ts'))
        .flatMap((path) => [
          ...readFileSync(join(root, folder, path), 'utf8').matchAll(/\b(?:option|refuseOption)\(\s*'(\w+\.\w+)'/g),
        ])
        .map(([, name]) => name),
    );
    expect(spoken.length).toBeGreaterThan(30);
    expect(spoken.filter((name) => !known.has(name) && !name.startsWith('speculate.'))).toEqual([]);
  });

  it('are named with a value in sentences', () => {
    const error = new RidgepointError('usage', words`try ${option('simulate.numPrompts', 3)}`);
    expect(inFlagWords(error)).toBe('try --num-prompts 3');
  });
});
