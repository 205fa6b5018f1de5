import { RidgepointError } from '../errors.js';
import { RATED, type Latencies, type Rated } from './latencies.js';

/** The most milliseconds a request may take by each measure to count as good. */
export type Goals = Partial<Record<Rated, number>>;

/**
 * Reads `ttft:500`, one of several.
 *
 * @throws RidgepointError naming the option
 */
export function parseGoal(text: string, before: Goals = {}): Goals {
  return text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .reduce((goals, part) => {
      const [name, limit, ...rest] = part.split(':');
      const measure = RATED.find((known) => known === name);
      const ms = Number(limit);
      if (measure === undefined || rest.length > 0 || limit === undefined || limit === '' || !(ms > 0)) {
        throw new RidgepointError(
          'usage',
          `--goodput must be measures of ${RATED.join(', ')} with milliseconds, such as ttft:500 tpot:50, found ${JSON.stringify(part)}`,
        );
      }
      return { ...goals, [measure]: ms };
    }, before);
}

/** Whether a request meets all goals; a single token has no TPOT to miss one with. */
export const isGood = ({ ttft, tpot = 0, e2el }: Latencies, goals: Goals): boolean =>
  Object.entries({ ttft, tpot, e2el }).every(([name, ms]) => ms <= (goals[name as Rated] ?? Infinity));
