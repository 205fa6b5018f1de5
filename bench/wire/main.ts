// What a connection between workers moves, and how fast an adapter's cache takes what comes; docs/cluster.md.
//   node dist/bench/wire/main.js [--adapter NAME]... [--pieces 64] [--repetitions 9]
import { parseArgs } from 'node:util';
import { Gpu } from '../../src/gpu/gpu.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { represent } from '../compare/statistic.js';
import { figure, markdownTable } from '../tables/markdown.js';
import { measureConnection } from './connection.js';
import { measureImports } from './imports.js';

const { values } = parseArgs({
  options: {
    adapter: { type: 'string', multiple: true, default: [] },
    pieces: { type: 'string', default: '64' },
    repetitions: { type: 'string', default: '9' },
  },
});
const [pieces, repetitions] = [Number(values.pieces), Number(values.repetitions)];
if (!(pieces >= 1 && repetitions >= 1)) {
  console.error('--pieces and --repetitions are numbers of at least 1; give such ones');
  process.exit(2);
}
/** The slowest, the middle and the fastest of rates. */
const spread = (rates: readonly number[]): string[] =>
  [Math.min(...rates), represent(rates, 'median'), Math.max(...rates)].map((each) => each.toFixed(2));

const connection = await measureConnection(pieces, repetitions);
const rows = (['clock', 'sender', 'receiver'] as const).map((key) => [
  key === 'clock' ? 'by the clock' : `a second of the ${key}’s processor time`,
  ...spread(connection.map((sample) => sample[key])),
]);
console.log(`One connection over loopback, ${repetitions} transfers of ${pieces} pieces of 8 MiB, GB/s:\n`);
console.log(markdownTable(['', 'slowest', 'median', 'fastest'], rows, [false, true, true, true]));

for (const adapter of values.adapter) {
  const gpu = await Gpu.open(await nodeHost.openGpu(adapter));
  const times = await measureImports(gpu, 3 * repetitions);
  console.log(`\nPieces of 8 MiB into the cache of ${gpu.name}, ${gpu.driver}, medians of ${3 * repetitions}:\n`);
  console.log(
    markdownTable(
      ['model', 'how', 'call, ms', 'done, ms', 'fastest, ms', 'GB/s', 'GB/s of processor time'],
      times.map(({ model, way, bytes, calls, dones, cpuMs }) => {
        const done = represent(dones, 'median');
        const gb = bytes / 1e6;
        const rates = way === 'nothing' ? ['', ''] : [(gb / done).toFixed(2), ((gb * dones.length) / cpuMs).toFixed(2)];
        return [model, way, figure(represent(calls, 'median')), figure(done), figure(Math.min(...dones)), ...rates];
      }),
      [false, false, true, true, true, true, true],
    ),
  );
  await gpu.dispose();
}
process.exit(0);
