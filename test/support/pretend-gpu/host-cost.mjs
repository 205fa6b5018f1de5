// Generates on whatever GPU there is and prints what the host does meanwhile, as a line of JSON: milliseconds a token,
// processor time a token of all threads, collections of garbage with kind and duration, and Dawn's looks at whether the
// GPU has finished.
//
//   node host-cost.mjs MODEL PROMPT TOKENS
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { Engine } from '../../../dist/src/index.js';

const [model, prompt, tokens] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const KINDS = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weak',
};
const collections = [];
const observer = new PerformanceObserver((list) => {
  for (const { duration, detail } of list.getEntries()) collections.push({ kind: KINDS[detail.kind], ms: duration });
});
const engine = await Engine.load({ model, weights: 'synthetic', autotune: false, maxSequences: 1 });
await engine.ready;
// Counted beneath the pace, which decides between a look at once and a later one.
let looks = 0;
const { setImmediate: paced } = globalThis;
globalThis.setImmediate = Object.assign((...args) => (looks++, paced(...args)), paced);

const ids = Array.from({ length: prompt }, (_, i) => 5 + i);
const generate = (maxTokens) => engine.generate(ids, { maxTokens, temperature: 0, ignoreEos: true }).result;
await generate(32);
observer.observe({ entryTypes: ['gc'] });
looks = 0;
const cpu = process.cpuUsage();
const { ids: made, tpotMs } = await generate(tokens);
const { user, system } = process.cpuUsage(cpu);
await new Promise((resolve) => setTimeout(resolve, 50)); // the observer is told late
console.log(
  JSON.stringify({
    tokens: made.length,
    tpotMs,
    looksPerToken: looks / made.length,
    cpuMs: (user + system) / 1000 / made.length,
    collections,
  }),
);
await engine.dispose();
process.exit(0);
