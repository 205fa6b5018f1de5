import type { LedgerRow } from './row.js';

/**
 * What the page calls the single devices that the catalogue has as they were measured. Machines of several cards are
 * pipelines, which rows cannot say; the M1 of seven cores is not in the catalogue.
 */
const DEVICES: Readonly<Record<string, string>> = {
  '3070 8GB': 'rtx-3070',
  '3080 10GB': 'rtx-3080',
  '3080 Ti 12GB': 'rtx-3080-ti',
  '3090 24GB': 'rtx-3090',
  '4070 Ti 12GB': 'rtx-4070-ti',
  '4080 16GB': 'rtx-4080',
  '4090 24GB': 'rtx-4090',
  'RTX 4000 Ada 20GB': 'rtx-4000-ada',
  'RTX 5000 Ada 32GB': 'rtx-5000-ada',
  'RTX A6000 48GB': 'rtx-a6000',
  'RTX 6000 Ada 48GB': 'rtx-6000-ada',
  'A40 48GB': 'a40',
  'L40S 48GB': 'l40s',
  'A100 SXM 80GB': 'a100-80',
  'A100 PCIe 80GB': 'a100-pcie',
  'H100 PCIe 80GB': 'h100-pcie',
  'M1 Max 32-Core GPU 64GB': 'apple-m1-max',
  'M2 Ultra 76-Core GPU 192GB': 'apple-m2-ultra',
  'M3 Max 40-Core GPU 64GB': 'apple-m3-max',
};
const MODELS: Readonly<Record<string, string>> = { '8B': 'llama-3-8b', '70B': 'llama-3-70b' };

/** One device or two of each kind of chip are fitted; no fit has seen the others. */
const FITTED = new Set([
  'rtx-3090',
  'rtx-4090',
  'rtx-a6000',
  'l40s',
  'a100-80',
  'h100-pcie',
  'apple-m1-max',
  'apple-m2-ultra',
]);

/** A machine that is faster by more than this with sixteen times the work was cold, or busy, with the less. */
const MOST_RISE = 1.1;

interface Cell {
  readonly kind: 'tg' | 'pp';
  readonly tokens: number;
  readonly rate: number;
  /** Every other one: those of 1,024 and 8,192 tokens where a table has 512, 1,024, 4,096 and 8,192. */
  readonly odd: boolean;
}

/**
 * Rows of a page’s tables of llama-bench: a line for each device and model, a column for each test such as "tg 512" or
 * "pp 4096", cells in tokens a second. Left out are lines of a test whose rate rises with its length.
 */
export function llamaBenchTables(page: string, source: string): LedgerRow[] {
  let heads: string[] | undefined;
  let device: string | undefined;
  return page.split(/\r?\n/).flatMap((line) => {
    const cells = cellsOf(line);
    if (cells === undefined) {
      heads = undefined;
      return [];
    }
    if (/^tg \d+$/.test(cells[2] ?? '')) {
      heads = cells;
      return [];
    }
    if (heads === undefined) return [];
    const [name, what = '', ...values] = cells;
    if (name !== '') device = DEVICES[name];
    const [, size = '', weights = ''] = /^(\S+) (\S+)$/.exec(what) ?? [];
    const model = MODELS[size];
    if (device === undefined || model === undefined) return [];
    const shared = { source, device, engine: 'llama.cpp', version: '', model, tp: 1, load: 'bench', batch: 1 } as const;
    const format = weights.toLowerCase().replaceAll('_', '-');
    return measured(heads.slice(2), values).map(({ kind, tokens, rate, odd }) => ({
      ...{ ...shared, weights: format, fit: odd && FITTED.has(shared.device) },
      ...(kind === 'tg'
        ? { prompt: 1, output: tokens + 1, metric: 'tpot' as const, ms: Number((1e3 / rate).toPrecision(5)) }
        : { prompt: tokens, output: 1, metric: 'ttft' as const, ms: Number(((1e3 * tokens) / rate).toPrecision(5)) }),
    }));
  });
}

/** The cells of a line of a table, hyphens that do not break made plain; undefined for other lines. */
function cellsOf(line: string): string[] | undefined {
  if (!line.startsWith('|')) return undefined;
  const cells = line.replace(/\u2011/g, '-').split('|');
  return cells.slice(1, -1).map((cell) => cell.trim());
}

/** Cells that hold a rate, without the tests whose rate rises. */
function measured(heads: readonly string[], values: readonly string[]): Cell[] {
  return (['tg', 'pp'] as const).flatMap((kind) => {
    const found = heads
      .flatMap((head, column) => {
        const [, test, tokens] = /^(tg|pp) (\d+)$/.exec(head) ?? [];
        return test === kind ? [{ kind, tokens: Number(tokens), rate: Number(values[column]) }] : [];
      })
      .map((cell, index) => ({ ...cell, odd: index % 2 === 1 }))
      .filter(({ rate }) => rate > 0);
    const rises = found.length > 1 && found[found.length - 1].rate > MOST_RISE * found[0].rate;
    return rises ? [] : found;
  });
}
