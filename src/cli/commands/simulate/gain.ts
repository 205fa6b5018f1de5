import { weightDtype } from '../../../roofline/hardware/precision.js';
import { Predictor } from '../../../roofline/predict/predictor.js';
import { gainMap, type GainCell } from '../../../roofline/questions/gain-map.js';
import type { FlagsIn } from '../../options/command-table.js';
import { findHardware, findModel } from '../predict/subjects.js';
import { EXIT } from '../../run.js';
import { csvTable, records, textTable, type Column } from '../../terminal/table.js';
import { print } from '../../terminal/output.js';
import { remark } from '../../terminal/style.js';
import { SIMULATE } from './flags.js';
import { refuseSimulate, type OutputFlags, type SimulateOption } from './options.js';
import { writeSimulationReport } from './report/write.js';
import { heatmap } from './report/figures.js';

export type GainFlags = OutputFlags & FlagsIn<typeof SIMULATE.gain>;

const { weights: WEIGHTS, network: NETWORKS, latency: LATENCY } = SIMULATE.gain;
const PROMPTS = [128, 256, 512, 1024, 2048, 4096];
const ANSWERS = [1, 16, 64, 128, 256, 512, 1024];
const BITS = 1e9 / 8;

/** `ridgepoint simulate gain`: where splitting the phases pays. */
export async function gainCommand(flags: GainFlags): Promise<number> {
  const { network = NETWORKS.default, latency = LATENCY.default, promptLen = PROMPTS, answerLen = ANSWERS } = flags;
  const model = await findModel(flags.model, 'simulate.model');
  const predictorOn = async (name: SimulateOption, text: string): Promise<Predictor> => {
    const [, count = '1', chip] = /^(?:(\d+)x)?(.+)$/.exec(text)!;
    const [hardware] = await findHardware({ hardware: [chip] });
    const weights = weightDtype(flags.weights ?? WEIGHTS.default);
    if (weights === undefined)
      return refuseSimulate('simulate.weights', `${flags.weights} is no format of weights, such as f16 or int4-g32`);
    if (hardware.chips !== undefined && count !== '1')
      refuseSimulate(name, `${text}: ${hardware.name} is one row for ${hardware.chips} chips; leave out the ${count}x`);
    return new Predictor(model, hardware, { weights, tensorParallel: Number(count) });
  };
  const [prefill, decode] = [
    await predictorOn('simulate.prefill', flags.prefill),
    await predictorOn('simulate.decode', flags.decode),
  ];
  const cells = gainMap(prefill, decode, {
    promptLengths: promptLen,
    outputLengths: answerLen,
    bytesPerSecond: network.map((rate) => rate * BITS),
    latencySeconds: latency / 1000,
  });
  const columns = columnsOf(flags, network);
  if (flags.json) print(`${JSON.stringify({ rows: records(cells, columns) }, null, 2)}\n`);
  else print(flags.csv ? csvTable(cells, columns) : textTable(cells, columns));
  const tell = !(flags.quiet ?? false);
  const title = `${flags.model}: prompts on ${flags.prefill}, decoding on ${flags.decode}`;
  if (tell && !flags.json && !flags.csv)
    remark(`${title}: time on the better one alone over time on both, a request alone; above 1 splitting gains`);
  if (flags.report !== undefined) {
    const figures = network.map((gigabits, at) =>
      heatmap(
        `${gigabits} Gb/s`,
        cells.flatMap(({ promptTokens, outputTokens, gains }) =>
          gains[at] === undefined ? [] : [{ x: String(outputTokens), y: String(promptTokens), value: gains[at] }],
        ),
        { x: 'tokens of the answer', y: 'tokens of the prompt', value: 'gain', even: 1 },
      ),
    );
    await writeSimulationReport(flags.report, {
      title: `Where splitting gains: ${title}`,
      lead: 'A request alone: its time on the better of the two platforms over its time on both. Above 1 splitting gains; where nothing stands it does not fit.',
      figures,
      tables: [{ title: 'All cells', rows: cells, columns }],
    });
  }
  return EXIT.ok;
}

const milliseconds = (seconds: number | undefined): string =>
  seconds === undefined ? '-' : (1e3 * seconds).toFixed(0);

function columnsOf({ prefill, decode }: GainFlags, network: readonly number[]): Column<GainCell>[] {
  return [
    {
      head: 'prompt',
      key: 'prompt_tokens',
      value: (cell) => cell.promptTokens,
      text: (cell) => String(cell.promptTokens),
    },
    {
      head: 'answer',
      key: 'output_tokens',
      value: (cell) => cell.outputTokens,
      text: (cell) => String(cell.outputTokens),
    },
    ...[prefill, decode].map((name, at): Column<GainCell> => ({
      head: `${name} ms`,
      key: `alone_${at === 0 ? 'prefill' : 'decode'}_platform_ms`,
      value: ({ aloneSeconds }) => aloneSeconds[at] && 1e3 * aloneSeconds[at],
      text: ({ aloneSeconds }) => milliseconds(aloneSeconds[at]),
    })),
    ...network.map((gigabits, at): Column<GainCell> => ({
      head: `${gigabits} Gb/s`,
      key: `gain_at_${gigabits}_gbps`,
      value: ({ gains }) => gains[at],
      text: ({ gains }) => gains[at]?.toFixed(2) ?? '-',
    })),
    {
      head: 'gains from Gb/s',
      key: 'gains_from_gbps',
      value: ({ gainsFrom }) => (gainsFrom === undefined || gainsFrom === Infinity ? undefined : gainsFrom / BITS),
      text: ({ gainsFrom, refused }) =>
        refused !== undefined ? 'does not fit' : gainsFrom === Infinity ? 'never' : (gainsFrom! / BITS).toPrecision(3),
    },
    { head: 'longest at the last', key: 'longest_part', value: longestOf, text: longestOf },
  ];
}

/** What takes longest of a split request at the fastest network asked for. */
function longestOf({ split }: GainCell): string {
  const { prefillSeconds, transferSeconds, decodeSeconds } = split.at(-1)!;
  const most = Math.max(prefillSeconds, transferSeconds, decodeSeconds);
  return most === transferSeconds ? 'network' : most === prefillSeconds ? 'prefill' : 'decode';
}
