/** Who computes prompts and who answers, by parts of their names. */
export interface AdapterPair {
  readonly prefill: string;
  readonly decode: string;
}

export interface DisaggregateOptions {
  readonly pairs: readonly AdapterPair[];
  readonly prompts: readonly number[];
  readonly outputs: readonly number[];
  /** Megabits a second; undefined: as fast as the machine can. */
  readonly networks: readonly (number | undefined)[];
  /** Milliseconds that a byte is under way, each direction. */
  readonly delays: readonly number[];
  readonly repetitions: number;
  readonly warmup: number;
}

/** A request on one engine. */
interface AlonePoint {
  readonly kind: 'alone';
  readonly adapter: string;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/** Half of a request: a prompt computed for nobody, or a first token whose prompt is in the cache but for its end. */
interface PartPoint<Kind extends 'prefill' | 'tail'> {
  readonly kind: Kind;
  readonly adapter: string;
  readonly promptTokens: number;
}

/** A request on two engines with a link between. */
export interface CellPoint extends AdapterPair {
  readonly kind: 'cell';
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly mbit: number | undefined;
  readonly delayMs: number;
}

export type DisaggregatePoint = AlonePoint | PartPoint<'prefill'> | PartPoint<'tail'> | CellPoint;

const distinct = (names: readonly string[]): string[] => [...new Set(names)];

/** All that one round measures. */
export function disaggregatePlan(options: DisaggregateOptions): DisaggregatePoint[] {
  const { pairs, prompts, outputs, networks, delays } = options;
  const all: DisaggregatePoint[] = [];
  const prefills = distinct(pairs.map(({ prefill }) => prefill));
  const decodes = distinct(pairs.map(({ decode }) => decode));
  for (const promptTokens of prompts) {
    for (const adapter of prefills) all.push({ kind: 'prefill', adapter, promptTokens });
    for (const adapter of decodes) all.push({ kind: 'tail', adapter, promptTokens });
    for (const outputTokens of outputs) {
      for (const adapter of distinct([...prefills, ...decodes])) {
        all.push({ kind: 'alone', adapter, promptTokens, outputTokens });
      }
      for (const mbit of networks) {
        for (const delayMs of delays) {
          for (const pair of pairs) all.push({ kind: 'cell', ...pair, promptTokens, outputTokens, mbit, delayMs });
        }
      }
    }
  }
  return all;
}

/** The same in another order each round, so that what the machine does beside falls on all alike. */
export function shuffled<T>(items: readonly T[], next: () => number): T[] {
  const all = [...items];
  for (let at = all.length - 1; at > 0; at--) {
    const other = Math.floor(next() * (at + 1));
    [all[at], all[other]] = [all[other], all[at]];
  }
  return all;
}
