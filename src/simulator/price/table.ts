import { quantile } from '../../statistics.js';

/** Where a value lies between known ones: two neighbours and the weight of the upper; a weight outside [0, 1] extends. */
interface Between {
  readonly below: number;
  readonly above: number;
  readonly weight: number;
}

/**
 * Values measured at some places of a space of several dimensions, linear in between. The places need not be a full
 * grid: each coordinate in turn is looked up among those that exist where the ones before it have led. Outside of what
 * was measured the nearest two go on in a line; `outside` tells that it happened.
 */
export class MeasuredTable {
  readonly #keys: number[];
  readonly #children: (MeasuredTable | number)[];

  /** @param rows coordinates followed by the value; of equal coordinates the median counts. At least one */
  constructor(rows: readonly (readonly number[])[]) {
    const groups = new Map<number, number[][]>();
    for (const [key, ...rest] of rows) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [rest]);
      else group.push(rest);
    }
    this.#keys = [...groups.keys()].sort((a, b) => a - b);
    this.#children = this.#keys.map((key) => {
      const group = groups.get(key)!;
      return group[0].length > 1
        ? new MeasuredTable(group)
        : quantile(
            group.map(([value]) => value).sort((a, b) => a - b),
            0.5,
          );
    });
  }

  /** @param outside called when a coordinate lies outside */
  at(place: readonly number[], outside?: () => void, depth = 0): number {
    const { below, above, weight } = this.#between(place[depth]);
    if (weight < 0 || weight > 1) outside?.();
    const of = (index: number): number => {
      const child = this.#children[index];
      return typeof child === 'number' ? child : child.at(place, outside, depth + 1);
    };
    const low = of(below);
    return weight === 0 ? low : low + weight * (of(above) - low);
  }

  #between(value: number): Between {
    const keys = this.#keys;
    // With one place there is no line to go on with; what was measured stands, and the weight says it is outside.
    if (keys.length === 1) return { below: 0, above: 0, weight: value === keys[0] ? 0 : 2 };
    let low = 0;
    let high = keys.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (keys[middle] <= value) low = middle;
      else high = middle;
    }
    return { below: low, above: high, weight: (value - keys[low]) / (keys[high] - keys[low]) };
  }
}
