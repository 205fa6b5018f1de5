import { mape } from '../../../statistics.js';
import { MEASURES } from '../../../traffic/metrics.js';
import { RidgepointError } from '../../../errors.js';
import { option, words } from '../../../wording.js';
import type { ServeResult } from '../../../../bench/serve/schema.js';
import { markdownPercent } from '../../../../bench/tables/markdown.js';
import { EXIT } from '../../run.js';
import { print, tell } from '../../terminal/output.js';
import { remark } from '../../terminal/style.js';
import { records, textTable, type Column } from '../../terminal/table.js';
import { readServeResult } from '../simulate/serve-result.js';
import type { CompareFlags } from './command.js';

/** One figure of a policy in two results, under the name that the files give it. */
interface ComparedFigure {
  readonly policy: string;
  readonly figure: string;
  readonly first: number;
  readonly second: number;
}

const LATENCY = new RegExp(`^(mean|median|p[0-9.]+)_(${MEASURES.join('|')})_ms$`);
const RATES = ['request_throughput', 'output_throughput', 'request_goodput'];
const isShown = (name: string): boolean => RATES.includes(name) || LATENCY.test(name);
const nameOf = (policy: string | null): string => policy ?? 'its own';
const differenceOf = ({ first, second }: ComparedFigure): number | undefined =>
  first === 0 ? undefined : second / first - 1;

const COLUMNS: readonly Column<ComparedFigure>[] = [
  { head: 'policy', key: 'policy', value: ({ policy }) => policy, text: ({ policy }) => policy },
  { head: 'figure', key: 'figure', value: ({ figure }) => figure, text: ({ figure }) => figure },
  { head: 'first', key: 'first', value: ({ first }) => first, text: ({ first }) => first.toPrecision(4) },
  { head: 'second', key: 'second', value: ({ second }) => second, text: ({ second }) => second.toPrecision(4) },
  {
    head: 'difference',
    key: 'difference',
    value: differenceOf,
    text: (row) => {
      const difference = differenceOf(row);
      return difference === undefined ? '-' : `${difference >= 0 ? '+' : ''}${(100 * difference).toFixed(1)} %`;
    },
  },
];

/**
 * Sets a result of `bench serve`, or of `simulate run`, beside another one.
 *
 * @returns the exit code: 1 when figures of TTFT or TPOT are further apart than `failAbove`
 * @throws RidgepointError when it is no such result, or the two have no policy in common
 */
export async function compareServed(
  [path, other]: readonly [string, string],
  flags: CompareFlags & { readonly write?: (text: string) => void },
): Promise<number> {
  for (const name of ['calibration', 'hardware', 'kernels', 'statistic', 'report', 'svg', 'png'] as const) {
    if (flags[name] !== undefined)
      throw new RidgepointError(
        'usage',
        words`${option(`compare.${name}`)} is for a result of "bench" and its prediction; leave it out where two results are compared`,
      );
  }
  const [first, second] = [await readServeResult(path), await readServeResult(other)];
  const rows = comparedFigures(first, second);
  if (rows.length === 0)
    throw new RidgepointError(
      'usage',
      `${other}: has no policy that ${path} has, which has ${first.policies.map(({ policy }) => nameOf(policy)).join(', ')}`,
    );
  const text = flags.json ? `${JSON.stringify({ rows: records(rows, COLUMNS) }, null, 1)}\n` : textTable(rows, COLUMNS);
  (flags.write ?? print)(text);
  if (!haveSameRequests(first, second)) remark('the two did not serve the same requests');
  return verdict(rows, flags.failAbove);
}

/** Figures that both have, of the policies that both have; where each has one, of these. */
function comparedFigures({ policies: first }: ServeResult, { policies: second }: ServeResult): ComparedFigure[] {
  const single = first.length === 1 && second.length === 1;
  return first.flatMap(({ policy, figures }) => {
    const found = single ? second[0] : second.find((each) => each.policy === policy);
    if (found === undefined) return [];
    const name = found.policy === policy ? nameOf(policy) : `${nameOf(policy)}, ${nameOf(found.policy)}`;
    const numbers = Object.entries(figures as Readonly<Record<string, number | undefined>>);
    return numbers.flatMap(([figure, value]): ComparedFigure[] => {
      const theirs = (found.figures as Readonly<Record<string, number | undefined>>)[figure];
      if (!isShown(figure) || value === undefined || theirs === undefined) return [];
      return [{ policy: name, figure, first: value, second: theirs }];
    });
  });
}

/** Whether the first runs of both had requests of the same lengths. */
function haveSameRequests(first: ServeResult, second: ServeResult): boolean {
  const lengths = ({ runs: [run] }: ServeResult): string =>
    JSON.stringify([...run.requests].sort((a, b) => a.index - b.index).map(({ input_len: prompt }) => prompt));
  return lengths(first) === lengths(second);
}

function verdict(rows: readonly ComparedFigure[], limit: number | undefined): number {
  if (limit === undefined) return EXIT.ok;
  const apart = (['ttft', 'tpot'] as const).filter((measure) => {
    const pairs = rows.filter(({ figure, first }) => figure.includes(`_${measure}_`) && first > 0);
    const found = mape(pairs.map(({ first: measured, second: predicted }) => ({ measured, predicted })));
    if (found === undefined || found <= limit) return false;
    tell(
      `ridgepoint: ${measure.toUpperCase()} differs by ${markdownPercent(found)}, above ${markdownPercent(limit)}\n`,
    );
    return true;
  });
  return apart.length === 0 ? EXIT.ok : EXIT.failure;
}
