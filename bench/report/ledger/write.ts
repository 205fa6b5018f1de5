import type { JudgedRow } from '../../../src/published/ledger/judge.js';
import type { LedgerSource } from '../../../src/published/ledger/sources.js';
import { writeWhole } from '../../store.js';
import { draw } from '../render.js';
import { missFigure, scatterFigure } from './figures.js';
import { ledgerPage } from './page.js';

/** Draws the figures of the ledger and writes its page. */
export async function writeLedgerPage(
  path: string,
  rows: readonly JudgedRow[],
  sources: Readonly<Record<string, LedgerSource>>,
): Promise<void> {
  const made = [scatterFigure, missFigure].map((make) => make(rows)).filter((each) => each !== undefined);
  const figures = await Promise.all(made.map(async (each) => ({ ...each, svg: await draw(each) })));
  await writeWhole(path, ledgerPage(rows, figures, sources));
}
