// Two workers of one core each under the same arrivals, both for everything or one for prompts and one for answers, in
// turns; docs/cluster.md. Wants Linux, for taskset.
//   node dist/bench/cores/main.js [--adapter llvmpipe] [--cores 0,1] [--rounds 1] [--requests 100] [--rate 3]
//     [--input 220] [--output 40]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { serveSchema } from '../serve/schema.js';
import { figure, markdownTable } from '../tables/markdown.js';
import { ARRANGEMENTS, type Arrangement } from './arrangements.js';
import { felt, GOOD, type Felt } from './felt.js';
import { run, serve, type Service } from './processes.js';

const { values } = parseArgs({
  options: {
    ...{ adapter: { type: 'string', default: 'llvmpipe' }, cores: { type: 'string', default: '0,1' } },
    ...{ rounds: { type: 'string', default: '1' }, requests: { type: 'string', default: '100' } },
    ...{ rate: { type: 'string', default: '3' }, input: { type: 'string', default: '220' } },
    output: { type: 'string', default: '40' },
  },
});
const { adapter, requests, rate, input, output } = values;
const [first, second] = values.cores.split(',').map(Number);
const rounds = Number(values.rounds);
/** Answers that come together before what is measured: more at each worker than arrivals will make of them. */
const TOGETHER = '32';

const folder = mkdtempSync(join(tmpdir(), 'ridgepoint-cores-'));
const running = new Set<Service>();

async function started(args: readonly string[], port: RegExp, core?: number): Promise<Service> {
  const service = await serve(args, port, core);
  running.add(service);
  return service;
}

async function stopAll(): Promise<void> {
  await Promise.all([...running].map((service) => service.stop()));
  running.clear();
}

async function measure({ workers }: Arrangement): Promise<Felt> {
  const ports: string[] = [];
  for (const [at, { role, chunk }] of workers.entries()) {
    const args = ['worker', '--role', role, '--adapter', adapter, '--prefill-chunk', `${chunk}`];
    const listening = [...args, '--context-length', '512', '--listen', '127.0.0.1:0'];
    const worker = await started(listening, / at 127\.0\.0\.1:(\d+)\. Ctrl-C stops/, [first, second][at]);
    ports.push('--worker', `127.0.0.1:${worker.port}`);
  }
  // By what they do and not by what it costs, so that each arrangement is what its name says.
  const routing = ['router', '--port', '0', '--placement', 'least-loaded', ...ports];
  const { port } = await started(routing, /served at http:\/\/127\.0\.0\.1:(\d+)\/v1/);
  const file = join(folder, 'serve.json');
  const asking = ['bench', 'serve', '--base-url', `http://127.0.0.1:${port}`, '--ignore-eos', '--vocab-size', '512'];
  const telling = ['--output', file, '--quiet'];
  // lavapipe translates a kernel at its first launch, those for more rows when so many answers first come together.
  const together = ['--num-prompts', TOGETHER, '--request-rate', 'inf', '--input-len', '8', '--output-len', '64'];
  await run([...asking, ...together, ...telling]);
  const arriving = ['--num-prompts', requests, '--request-rate', rate, '--input-len', input, '--output-len', output];
  await run([...asking, ...arriving, '--warmup', '4', ...telling]);
  await stopAll();
  return felt(serveSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).runs.flatMap((each) => each.requests));
}

const rows: string[][] = [];
try {
  for (let round = 0; round < rounds; round++) {
    for (const arrangement of ARRANGEMENTS) {
      const { completed, ttft, itl, good } = await measure(arrangement);
      const times = [ttft.p50, ttft.p99, itl.p50, itl.p99, itl.max].map(figure);
      rows.push([arrangement.name, ...times, `${good} of ${completed}`]);
    }
  }
} finally {
  await stopAll();
  rmSync(folder, { recursive: true });
}
const head = ['', 'TTFT p50, ms', 'p99', 'ITL p50, ms', 'p99', 'max', `TTFT <= ${GOOD.ttft}, ITL p99 <= ${GOOD.itl}`];
console.log(markdownTable(head, rows, [false, true, true, true, true, true, true]));
