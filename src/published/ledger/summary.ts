import type { JudgedRow } from './judge.js';

/** How predictions of a group of rows compare with what was measured. */
export interface LedgerSummary {
  readonly group: string;
  /** Rows that no fit has seen, and those that one has. */
  readonly unseen: number;
  readonly seen: number;
  /** Mean of |predicted / measured - 1| and of predicted / measured - 1, of unseen rows; undefined where there is none. */
  readonly mape: number | undefined;
  readonly bias: number | undefined;
  /** The same mean of the rows a fit has seen. */
  readonly seenMape: number | undefined;
  /** Share of unseen measurements within our interval of 90 %. */
  readonly within: number | undefined;
}

const mean = (values: readonly number[]): number | undefined =>
  values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : undefined;

/** One line a group, in the order in which groups come. */
export function ledgerSummary(rows: readonly JudgedRow[], groupOf: (row: JudgedRow) => string): LedgerSummary[] {
  const groups = new Map<string, JudgedRow[]>();
  for (const row of rows) groups.set(groupOf(row), [...(groups.get(groupOf(row)) ?? []), row]);
  return [...groups].map(([group, all]) => {
    const unseen = all.filter(({ fit }) => !fit);
    const seen = all.filter(({ fit }) => fit);
    return {
      group,
      unseen: unseen.length,
      seen: seen.length,
      mape: mean(unseen.map(({ error }) => Math.abs(error))),
      bias: mean(unseen.map(({ error }) => error)),
      seenMape: mean(seen.map(({ error }) => Math.abs(error))),
      within: mean(unseen.map((row) => Number(row.within))),
    };
  });
}

const PHASES = { ttft: 'TTFT', tpot: 'TPOT', e2e: 'E2E' } as const;
const LOADED = { closed: ' under load', batch: '', bench: '' } as const;

/** Device, engine, chips or one, and what was measured. */
export function lineOf({ device, engine, version, tp, metric, load }: JudgedRow): string {
  const era = version === '' ? engine : `${engine} ${version}`;
  return [device, era, tp > 1 ? `${tp} chips` : '1 chip', `${PHASES[metric]}${LOADED[load]}`].join(' | ');
}
