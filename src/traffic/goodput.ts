import { RATED, type Latencies, type Rated } from './latencies.js';

/** The most milliseconds a request may take by each measure to count as good. */
export type Goals = Partial<Record<Rated, number>>;

export const GOALS_WANTED = `measures of ${RATED.join(', ')} with milliseconds, such as ttft:500 tpot:50`;

const partsOf = (text: string): string[] => text.split(/[\s,]+/).filter((part) => part !== '');

function readGoal(part: string): Goals | undefined {
  const [name, limit, ...rest] = part.split(':');
  const measure = RATED.find((known) => known === name);
  const ms = Number(limit);
  const good = rest.length === 0 && limit !== undefined && limit !== '' && ms > 0;
  return measure !== undefined && good ? { [measure]: ms } : undefined;
}

/** Reads `ttft:500`, or several; undefined where one is no goal. @param before goals that hold, too */
export function readGoals(text: string, before: Goals = {}): Goals | undefined {
  const goals = partsOf(text).map(readGoal);
  return goals.every((goal) => goal !== undefined) ? (Object.assign({}, before, ...goals) as Goals) : undefined;
}

/** The first that is no goal. */
export const wrongGoal = (text: string): string => partsOf(text).find((part) => readGoal(part) === undefined) ?? text;

/** Whether a request meets all goals; a single token has no TPOT to miss one with. */
export const isGood = ({ ttft, tpot = 0, e2el }: Latencies, goals: Goals): boolean =>
  Object.entries({ ttft, tpot, e2el }).every(([name, ms]) => ms <= (goals[name as Rated] ?? Infinity));
