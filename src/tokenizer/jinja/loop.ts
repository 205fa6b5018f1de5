import type { Attributed } from './attributes.js';
import { Undefined, equals, fail, type Callable } from './values.js';

/** `loop` inside a loop, which is one object in all its turns. */
export interface Loop extends Attributed {
  readonly call: Callable;
  /** Goes on to the next turn. */
  readonly next: () => void;
}

/** @param deeper what calling it does; undefined where the loop is not marked recursive */
export function loopOver(items: readonly unknown[], depth: number, deeper: Callable | undefined): Loop {
  const { length } = items;
  let at = -1;
  let changing: readonly unknown[] | undefined;
  const neighbour = (i: number, which: string): unknown =>
    i >= 0 && i < length ? items[i] : new Undefined(`there is no ${which} item`);
  const changed: Callable = (args) => {
    const before = changing;
    changing = args;
    return !(before?.length === args.length && before.every((value, i) => equals(value, args[i])));
  };
  const cycle: Callable = (args) => (args.length === 0 ? fail('no items for cycling given') : args[at % args.length]);
  return {
    call: deeper ?? (() => fail('The loop must have the recursive marker to be called')),
    next: () => void at++,
    attributes: {
      ...{ length, changed, cycle, depth: depth + 1, depth0: depth },
      get index() {
        return at + 1;
      },
      get index0() {
        return at;
      },
      get revindex() {
        return length - at;
      },
      get revindex0() {
        return length - at - 1;
      },
      get first() {
        return at === 0;
      },
      get last() {
        return at === length - 1;
      },
      get previtem() {
        return neighbour(at - 1, 'previous');
      },
      get nextitem() {
        return neighbour(at + 1, 'next');
      },
    },
  };
}
