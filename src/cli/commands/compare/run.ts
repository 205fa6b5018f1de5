import { join } from 'node:path';
import { above, compareResult, comparedRecord, type Comparison } from '../../../../bench/compare/compare.js';
import { comparisonText } from '../../../../bench/compare/table.js';
import { latestPath, readResult } from '../../../../bench/store.js';
import type { CompareFlags } from './command.js';
import { hardwareFor } from './hardware.js';
import { checkWritable } from '../../../platform/node/whole-file.js';
import { markdownPercent } from '../../../../bench/tables/markdown.js';
import { EXIT } from '../../run.js';
import { print, tell } from '../../terminal/output.js';

export interface CompareOptions extends CompareFlags {
  /** Where the comparison goes; standard output when absent. */
  readonly write?: (text: string) => void;
}

/**
 * Sets a result beside its prediction.
 *
 * @param path of a result; the latest on this machine when absent
 * @returns the exit code: 1 when TTFT or TPOT is further off than `failAbove`
 * @throws RidgepointError in one sentence
 */
export async function compare(path: string | undefined, flags: CompareOptions = {}): Promise<number> {
  const result = await readResult(path ?? latestPath());
  const { report, svg, png } = flags;
  // Figures take seconds to draw.
  for (const file of [report, svg && join(svg, 'x.svg'), png && join(png, 'x.png')]) {
    if (file !== undefined) await checkWritable(file);
  }
  const { adapter, driver } = result.context;
  const comparison = compareResult(result, await hardwareFor(adapter, driver, flags), flags.statistic, flags.kernels);
  const text = flags.json ? `${JSON.stringify(comparedRecord(comparison), null, 1)}\n` : comparisonText(comparison);
  (flags.write ?? print)(text);
  if (flags.report !== undefined || flags.svg !== undefined || flags.png !== undefined) {
    const { writeReport } = await import('../../../../bench/report/report.js');
    for (const written of await writeReport(comparison, flags)) tell(`written to ${written}\n`);
  }
  return verdict(comparison, flags.failAbove);
}

function verdict(comparison: Comparison, limit: number | undefined): number {
  const failed = limit === undefined ? [] : above(comparison, limit);
  for (const { measure, mape } of failed) {
    const name = measure.toUpperCase();
    tell(`ridgepoint: ${name} is predicted with a MAPE of ${markdownPercent(mape)}, above ${markdownPercent(limit)}\n`);
  }
  return failed.length === 0 ? EXIT.ok : EXIT.failure;
}
