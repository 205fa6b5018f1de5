// What a model's steps would take on an H100 and an H200, from the launches that the engine records for such a GPU: on a
// real one, or on the pretended one of test/support/pretend-gpu.
// The pretended one computes nothing, so there with RIDGEPOINT_CHECKS=off.
//   node dist/bench/estimate/main.js [--model NAME] [--recorded FILE] [--write FILE]
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startEngine } from '../../src/engine/start.js';
import type { ModelConfig } from '../../src/model/config.js';
import { forwardOperations } from '../../src/model/cost.js';
import type { BatchShape } from '../../src/model/operations.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { decodeStep } from '../../src/roofline/predict/decode-line.js';
import { precisionOf } from '../../src/roofline/hardware/precision.js';
import { markdownTable } from '../tables/markdown.js';
import { bytesNeeded, ESTIMATED, estimate, joining, parsePipeline } from './estimate.js';
import { recordLaunches, type RecordedLaunch } from './record.js';

interface RecordedStep {
  readonly name: string;
  readonly batch: BatchShape;
  readonly launches: readonly RecordedLaunch[];
}
interface Recorded {
  readonly model: string;
  readonly config: ModelConfig;
  readonly steps: readonly RecordedStep[];
}

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'llama-2-7b' },
    recorded: { type: 'string' },
    write: { type: 'string' },
  },
});

/** Tokens of a prompt at a time; what the engine does not take at once is left out. */
const CHUNKS = [2048, 512, 128];

async function recorded(model: string): Promise<Recorded> {
  const one = await recordedFor(model, 1);
  const many = await recordedFor(model, 32);
  return { ...one, steps: [...one.steps, ...many.steps] };
}

/** An engine for one sequence may have other kernels than one for many: a sequence's bits depend on no batch. */
async function recordedFor(model: string, sequences: number): Promise<Recorded> {
  const sizes = { maxSequences: sequences, contextLength: 2560, kvCacheTokens: Math.max(2560, sequences * 640) };
  const engine = await startEngine({ model, weights: 'synthetic', autotune: false, ...sizes }, nodeHost);
  await engine.ready;
  const probe = engine.probe();
  const steps: RecordedStep[] = [];
  for (const batch of sequences === 1 ? [1] : [8, sequences]) {
    const launches = await recordLaunches(() => probe.decode(batch, 512, { profile: true }));
    steps.push({ name: `decode, ${batch} after 512`, batch: decodeStep(512, batch), launches });
  }
  for (const tokens of sequences === 1 ? CHUNKS : []) {
    try {
      const launches = await recordLaunches(() => probe.prefill(tokens, 0, { profile: true }));
      const batch = { sequences: [{ newTokens: tokens, context: 0, prefill: true }], logitRows: 1 };
      steps.push({ name: `prompt, ${tokens} at once`, batch, launches });
    } catch {
      // A step of so many does not fit; a smaller one may.
    }
  }
  const { config } = engine;
  await engine.dispose();
  return { model, config, steps };
}

/** Launches of an operation kind, of which layers are alike. */
function tableOf({ config }: Recorded, { name, batch, launches }: RecordedStep): string {
  const precision = precisionOf({ weights: 'f16', kv: 'f16', compute: 'f32', halfRows: true }, 'shader');
  const operations = new Map(forwardOperations(config, batch, precision).map((each) => [each.name, each]));
  const kinds = new Map<string, { kind: string; launches: number; first: RecordedLaunch; joins: boolean }>();
  let before = '';
  for (const launch of launches) {
    const kind = launch.operation.replace(/^layers\.\d+\./, '');
    // Of several launches of an operation the first does its work.
    const joins = launch.operation === before && operations.get(launch.operation)?.kind === 'attention';
    before = launch.operation;
    const key = `${kind} ${String(joins)}`;
    const known = kinds.get(key);
    if (known === undefined) kinds.set(key, { kind, launches: 1, first: launch, joins });
    else known.launches++;
  }
  const totals = ESTIMATED.map(() => ({ floor: 0, seconds: 0 }));
  const us = (seconds: number): string => (seconds * 1e6).toFixed(1);
  const rows = [...kinds.values()].map(({ kind, launches: count, first, joins }) => {
    const operation = operations.get(first.operation);
    const { shader, defines } = parsePipeline(first.pipeline);
    const shown = ['MT', 'R', 'STEPS', 'EACH', 'TEAM', 'TILE_M', 'TILE_N', 'TILE_K8', 'THREADS', 'WG'].flatMap((key) =>
      defines.has(key) ? [`${key} ${String(defines.get(key))}`] : [],
    );
    const cells = ESTIMATED.flatMap((gpu, i) => {
      if (operation === undefined) return ['-', '-', '-'];
      const { seconds, floor, inFlight } = joins ? joining(gpu) : estimate(operation, first, gpu);
      totals[i].floor += count * floor;
      totals[i].seconds += count * seconds;
      const flight = inFlight === undefined ? '-' : (inFlight / 1024).toFixed(1);
      return [i === 0 ? flight : '', us(floor), us(seconds)].filter((_, at) => i === 0 || at > 0);
    });
    return [kind, `${count}`, `${shader} ${shown.join(', ')}`.trim(), first.grid.join(' x '), ...cells];
  });
  const heads = ESTIMATED.flatMap((gpu) => [`floor ${gpu.name}`, `estimate ${gpu.name}`]);
  const head = ['operation', 'launches', 'kernel', 'workgroups', 'KiB in flight', ...heads];
  const sums = ESTIMATED.map(
    ({ name: gpu }, i) =>
      `${gpu} ${(1e3 * totals[i].seconds).toFixed(2)} ms, ${(totals[i].seconds / totals[i].floor).toFixed(2)} x its floor of ${(1e3 * totals[i].floor).toFixed(2)} ms`,
  );
  const right = head.map((_, at) => at > 0 && at !== 2);
  return `${name}: ${launches.length} launches, a barrier each; ${sums.join('; ')}.\n\n${markdownTable(head, rows, right)}\n`;
}

const all =
  values.recorded === undefined
    ? await recorded(values.model)
    : (JSON.parse(readFileSync(values.recorded, 'utf8')) as Recorded);
if (values.write !== undefined) writeFileSync(values.write, JSON.stringify(all));
const needed = ESTIMATED.map((gpu) => `${(bytesNeeded(gpu) / 1024).toFixed(1)} KiB on an ${gpu.name}`);
console.log(
  `${all.model}, f16, untuned; microseconds a launch. Memory is kept busy by ${needed.join(', ')} in flight a multiprocessor.\n`,
);
for (const step of all.steps) console.log(tableOf(all, step));
process.exit(0);
