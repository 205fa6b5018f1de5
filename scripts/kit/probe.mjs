// Compiles and runs a model's default kernels, and writes how long each took to compile: the first thing that is asked of
// an unknown driver. node probe.mjs --model NAME --adapter NAME --output FILE
import { parseArgs } from 'node:util';
import { writeJson } from './process.mjs';

const { values } = parseArgs({
  options: { model: { type: 'string' }, adapter: { type: 'string' }, output: { type: 'string' } },
});
const { Engine } = await import('../../src/index.js');

const begun = new Map();
const report = { complete: false, model: values.model, load_ms: {}, pipelines: [], compiling: [], tokens: null };
/** The one that takes the process along is among those under way. */
const save = () => writeJson(values.output, { ...report, compiling: [...begun.keys()] });

let lastSaved = 0;
const engine = await Engine.load({
  ...{ model: values.model, adapter: values.adapter, weights: 'synthetic', autotune: false, maxSequences: 1 },
  contextLength: 1024,
  onProgress: ({ stage, item }) => {
    if (stage !== 'pipelines') return;
    const now = performance.now();
    if (begun.has(item)) {
      report.pipelines.push({ name: item, ms: Math.round(now - begun.get(item)) });
      begun.delete(item);
    } else begun.set(item, now);
    if (now - lastSaved < 200) return;
    lastSaved = now;
    save();
  },
});
await engine.ready;
report.load_ms = engine.timings;
report.pipelines.sort((a, b) => b.ms - a.ms);
save();
// A prompt, then tokens: both kinds of kernels run.
const { ids, ttftMs, tpotMs } = await engine.generate(
  Array.from({ length: 300 }, (_, i) => i + 3),
  { maxTokens: 16, temperature: 0, ignoreEos: true },
).result;
Object.assign(report, { complete: true, tokens: { count: ids.length, ttft_ms: ttftMs, tpot_ms: tpotMs } });
save();
const slowest = report.pipelines.slice(0, 5).map(({ name, ms }) => `${ms} ms ${name}`);
console.log(`${report.pipelines.length} pipelines; slowest to compile: ${slowest.join('; ')}`);
await engine.dispose();
process.exit(0);
