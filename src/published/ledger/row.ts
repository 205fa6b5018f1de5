import { RidgepointError } from '../../errors.js';
import { ENGINE_IDS, type EngineId } from '../../roofline/hardware/engines.js';
import { weightDtype, type PricedWeightDtype } from '../../roofline/hardware/precision.js';

/**
 * How requests were put: `batch` all together, `closed` a fixed number of clients that each send the next request when
 * the last is answered, `bench` bare steps without requests, as llama-bench times them.
 */
export const LOADS = ['batch', 'closed', 'bench'] as const;
export const METRICS = ['ttft', 'tpot', 'e2e'] as const;
export type Metric = (typeof METRICS)[number];

/** One public measurement. */
export interface LedgerRow {
  readonly source: string;
  /** As in the catalogue. */
  readonly device: string;
  readonly engine: string;
  readonly version: string;
  readonly model: string;
  readonly weights: string;
  /** Chips that share the model by tensor parallelism. */
  readonly tp: number;
  readonly load: (typeof LOADS)[number];
  readonly batch: number;
  readonly prompt: number;
  /** Tokens generated for each request, the first included. */
  readonly output: number;
  readonly metric: Metric;
  /** Median or mean milliseconds, as the source gives. */
  readonly ms: number;
  /** Whether a fit has seen it. */
  readonly fit: boolean;
}

export const LEDGER_COLUMNS = [
  ...['device', 'engine', 'version', 'model', 'weights', 'tp', 'load', 'batch', 'prompt', 'output', 'metric', 'ms'],
  'fit',
] as const;

/**
 * Reads rows from comma-separated values with a line of names.
 *
 * @param source what the rows are filed under
 * @throws RidgepointError that names file and line
 */
export function parseLedger(text: string, source: string, file: string): LedgerRow[] {
  const [head = '', ...lines] = text.trim().split(/\r?\n/);
  const names = head.split(',');
  const missing = LEDGER_COLUMNS.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new RidgepointError(
      'usage',
      `${file}: the first line lacks ${missing.join(', ')}; write ${LEDGER_COLUMNS.join()}`,
    );
  }
  return lines.map((line, index) => {
    const values = line.split(',');
    const field = (name: (typeof LEDGER_COLUMNS)[number]): string => values[names.indexOf(name)] ?? '';
    const refuse = (name: string, wanted: string): never => {
      throw new RidgepointError('usage', `${file}, line ${index + 2}: ${name} must be ${wanted}`);
    };
    const positive = (name: (typeof LEDGER_COLUMNS)[number]): number => {
      const value = Number(field(name));
      return Number.isFinite(value) && value > 0 ? value : refuse(name, `a number above 0, found "${field(name)}"`);
    };
    const one = <T extends string>(name: (typeof LEDGER_COLUMNS)[number], choices: readonly T[]): T =>
      choices.find((choice) => choice === field(name)) ?? refuse(name, `one of ${choices.join(', ')}`);
    return {
      source,
      device: field('device'),
      engine: field('engine'),
      version: field('version'),
      model: field('model'),
      weights: field('weights'),
      tp: positive('tp'),
      load: one('load', LOADS),
      batch: positive('batch'),
      prompt: positive('prompt'),
      output: positive('output'),
      metric: one('metric', METRICS),
      ms: positive('ms'),
      fit: field('fit') === '1',
    };
  });
}

/** Rows as `parseLedger` reads them. */
export function writeLedger(rows: readonly LedgerRow[]): string {
  const line = (row: LedgerRow) =>
    LEDGER_COLUMNS.map((name) => (name === 'fit' ? Number(row.fit) : row[name as keyof LedgerRow])).join(',');
  return [LEDGER_COLUMNS.join(','), ...rows.map(line), ''].join('\n');
}

/** The engine's profile, of its generation where that has one; an engine that is not known has none. */
export const knownEngine = ({ engine, version }: Pick<LedgerRow, 'engine' | 'version'>): EngineId =>
  [`${engine}-${version}`, engine].flatMap((name) => ENGINE_IDS.filter((id) => id === name))[0] ?? 'none';

/** Formats of llama.cpp under the name of the catalogue's that is nearest. */
const LIKE: Readonly<Record<string, PricedWeightDtype>> = { 'q4-k-m': 'int4-g32-zp', 'q8-0': 'int8-g32' };

export const knownWeights = (weights: string): PricedWeightDtype | undefined => weightDtype(weights) ?? LIKE[weights];
