import { Environment, Interpreter } from '@huggingface/jinja';

/**
 * Bounds for chat templates, which are programs that come with a model: one that loops ends with an error instead of
 * never. Work is counted, not timed, so the same template always ends at the same place.
 */

/** Elements that all calls of `range` may make; transformers' sandbox allows as many to each call. */
const MOST_RANGE = 100_000;
/** Nodes of a template's syntax tree that may be evaluated. A long conversation takes some thousands. */
const MOST_STEPS = 5_000_000;
/** Characters that a template may write. */
const MOST_TEXT = 32 << 20;

let steps = 0;
let ranged = 0;

interface Patched {
  evaluate(this: unknown, statement: unknown, environment: unknown): unknown;
  set(this: unknown, name: string, value: unknown): unknown;
}

/* The library has no such bounds, and no place to put them but its classes. */
const { prototype: interpreter } = Interpreter as unknown as { prototype: Pick<Patched, 'evaluate'> };
const { evaluate } = interpreter;
interpreter.evaluate = function (statement, environment) {
  if (++steps > MOST_STEPS) throw new Error('it takes more than 5 million steps; it may loop without an end');
  return evaluate.call(this, statement, environment);
};

const { prototype: environment } = Environment as unknown as { prototype: Pick<Patched, 'set'> };
const { set } = environment;
environment.set = function (name, value) {
  const isRange = name === 'range' && typeof value === 'function';
  return set.call(this, name, isRange ? bounded(value as (...args: number[]) => number[]) : value);
};

function bounded(range: (...args: number[]) => number[]): (...args: number[]) => number[] {
  return (...args) => {
    const [start, stop, step = 1] = args.length === 1 ? [0, args[0]] : args;
    ranged += Math.max(0, Math.ceil((stop - start) / step)) || 0;
    if (ranged > MOST_RANGE) throw new Error(`its calls of range make more than ${MOST_RANGE} numbers`);
    return range(...args);
  };
}

/** Runs a rendering within the bounds. @throws Error that says which of them was met */
export function withinLimits(render: () => string): string {
  steps = ranged = 0;
  const text = render();
  if (text.length > MOST_TEXT) throw new Error(`it writes more than ${MOST_TEXT} characters`);
  return text;
}
