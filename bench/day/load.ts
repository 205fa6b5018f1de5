// Loads a checkpoint of a model's shape from a file, as users do, and writes how long that took. The file is one hole: it
// takes no room and no time to write, and reading it costs what reading the page cache does. An eighth of the layers comes
// first, and is what is written where the time would not do for all.
// node load.js --model NAME --adapter NAME --output FILE --seconds N
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Engine } from '../../src/index.js';
import { packageRoot } from '../../src/platform/node/package-root.js';
import { writeWhole } from '../store.js';
import { writeHole } from './hole.js';
import type { DayLoad } from './page.js';

/** Of so many layers one is loaded first. */
const PART = 8;

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'llama-2-7b' },
    adapter: { type: 'string' },
    output: { type: 'string', default: 'load.json' },
    seconds: { type: 'string', default: 'Infinity' },
  },
});

async function load(json: Readonly<Record<string, unknown>>, layers: number): Promise<DayLoad> {
  const folder = mkdtempSync(join(tmpdir(), 'ridgepoint-load-'));
  try {
    const bytes = writeHole(folder, { ...json, num_hidden_layers: layers });
    const cpu = process.cpuUsage();
    const engine = await Engine.load({
      ...{ model: folder, adapter: values.adapter, dtype: 'f16', autotune: false, maxSequences: 1 },
      contextLength: 1024,
    });
    const { user, system } = process.cpuUsage(cpu);
    const { weights, total } = engine.timings;
    await engine.dispose();
    console.log(
      `${layers} layers, ${(bytes / 1e9).toFixed(1)} GB in ${(weights / 1000).toFixed(1)} s, all of it ${(total / 1000).toFixed(1)} s`,
    );
    return {
      layers,
      bytes,
      load_ms: { ...engine.timings },
      gb_per_s: bytes / 1e6 / weights,
      cpu_s: (user + system) / 1e6,
      peak_bytes: process.resourceUsage().maxRSS * 1024,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const presets = JSON.parse(readFileSync(join(packageRoot(), 'models', 'presets.json'), 'utf8')) as Record<
  string,
  Readonly<Record<string, unknown>>
>;
const json = presets[values.model];
const layers = Number(json.num_hidden_layers);
const few = Math.max(1, Math.floor(layers / PART));
const write = (loaded: DayLoad): Promise<void> =>
  writeWhole(values.output, `${JSON.stringify({ model: values.model, of_layers: layers, ...loaded }, null, 1)}\n`);

const part = await load(json, few);
// Embeddings and head are in the part as well, so this is rather too much than too little.
const expected = ((part.load_ms.total / 1000) * layers) / few;
await write({ ...part, whole_expected_s: expected });
const left = Number(values.seconds) - performance.now() / 1000;
if (expected <= left) await write(await load(json, layers));
else console.log(`all layers would take ${expected.toFixed(0)} s, and ${left.toFixed(0)} are left`);
process.exit(0);
