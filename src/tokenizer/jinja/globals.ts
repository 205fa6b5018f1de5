import type { Attributed } from './attributes.js';
import type { RenderLimits } from './limits.js';
import { strftime } from './strftime.js';
import { Namespace, Undefined, fail, itemsOf, type Callable, type Named } from './values.js';
import { written } from './writing.js';

const whole = (value: unknown): number =>
  typeof value === 'number' || typeof value === 'boolean' ? Number(value) : fail('range needs whole numbers');

function range(limits: RenderLimits): Callable {
  return (args) => {
    const [first, second, step = 1] = args.map(whole);
    const [start, stop] = args.length === 1 ? [0, first] : [first, second];
    if (step === 0) fail('range() arg 3 must not be zero');
    const count = Math.max(0, Math.ceil((stop - start) / step));
    limits.range(count);
    return Array.from({ length: count }, (_, i) => start + i * step);
  };
}

/** The pairs of `dict(...)` and `namespace(...)`. */
function pairs([source]: readonly unknown[], named: Named): Map<unknown, unknown> {
  const all = new Map<unknown, unknown>(source instanceof Map ? source : undefined);
  if (Array.isArray(source)) for (const pair of source) all.set(itemsOf(pair)[0], itemsOf(pair)[1]);
  for (const [name, value] of named) all.set(name, value);
  return all;
}

function namespace(args: readonly unknown[], named: Named): Namespace {
  const space = new Namespace();
  for (const [name, value] of pairs(args, named)) space.values.set(written(name), value);
  return space;
}

function cycler(items: readonly unknown[]): Attributed {
  let at = 0;
  return {
    get attributes() {
      const next = (): unknown => items[at++ % items.length];
      return { current: items[at % items.length], next, reset: () => ((at = 0), null) };
    },
  };
}

function joiner([separator = ', ']: readonly unknown[]): Callable {
  let isFirst = true;
  return () => {
    const text = isFirst ? '' : separator;
    isFirst = false;
    return text;
  };
}

/** What every template may call, as in transformers. */
export const globals = (limits: RenderLimits): Readonly<Record<string, Callable>> => ({
  range: range(limits),
  dict: pairs,
  namespace,
  cycler,
  joiner,
  raise_exception: ([message = '']) => fail(written(message)),
  strftime_now: ([format]) => (format instanceof Undefined ? '' : strftime(written(format), new Date())),
});
