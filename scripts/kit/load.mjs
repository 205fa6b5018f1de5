// Loads a checkpoint of a model's shape from a file, as users do, and writes how long that took. The file is one hole: it
// takes no room and no time to write, and reading it costs what reading the page cache does. node load.mjs --model NAME
// --adapter NAME --output FILE
import {
  ftruncateSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeJson } from './process.mjs';

const { values } = parseArgs({
  options: { model: { type: 'string' }, adapter: { type: 'string' }, output: { type: 'string' } },
});
const [{ Engine }, { packageRoot }, { planShards }, { parseLlamaConfig }, { modelMatrices, namedVocabulary }] =
  await Promise.all([
    import('../../src/index.js'),
    import('../../src/platform/node/package-root.js'),
    import('../../src/checkpoint/shards.js'),
    import('../../src/model/config.js'),
    import('../../src/model/matrices.js'),
  ]);

const json = JSON.parse(readFileSync(join(packageRoot(), 'models', 'presets.json'), 'utf8'))[values.model];
const config = parseLlamaConfig(json, `preset ${values.model}`);
const tensors = modelMatrices(config, namedVocabulary(config)).flatMap(({ kind, source }) =>
  source.parts.map(({ tensor, rows }) => ({
    name: tensor,
    dtype: 'F16',
    shape: kind === 'norm' ? [source.cols] : [rows, source.cols],
  })),
);
const folder = mkdtempSync(join(tmpdir(), 'ridgepoint-load-'));
try {
  const { files, index } = planShards([tensors], { format: 'pt' }, Infinity);
  if (index !== undefined || files.length !== 1) throw new Error('one file was to be planned');
  const [{ name, header, bytes }] = files;
  writeFileSync(join(folder, 'config.json'), JSON.stringify(json));
  const file = openSync(join(folder, name), 'w');
  writeSync(file, header);
  ftruncateSync(file, bytes);
  closeSync(file);
  const cpu = process.cpuUsage();
  const engine = await Engine.load({
    ...{ model: folder, adapter: values.adapter, dtype: 'f16', autotune: false, maxSequences: 1, contextLength: 1024 },
  });
  const { user, system } = process.cpuUsage(cpu);
  const seconds = engine.timings.weights / 1000;
  writeJson(values.output, {
    model: values.model,
    bytes,
    load_ms: engine.timings,
    gb_per_s: bytes / 1e9 / seconds,
    cpu_s: (user + system) / 1e6,
    peak_bytes: process.resourceUsage().maxRSS * 1024,
  });
  console.log(
    `${(bytes / 1e9).toFixed(1)} GB in ${seconds.toFixed(1)} s, all of it ${(engine.timings.total / 1000).toFixed(1)} s`,
  );
  await engine.dispose();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
