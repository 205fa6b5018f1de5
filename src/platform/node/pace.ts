import { promisify } from 'node:util';

/** Milliseconds between two of Dawn's looks at whether the GPU has finished, where they are not to be at once. */
const LOOK_MS = 1;
/** A timer may come this late, so with less than that to wait Dawn looks at once. */
const SURE_MS = 1.5;

const immediate = globalThis.setImmediate;
let paced = false;
/** Looks are slow all the time: the driver wants our cores. */
let always = false;
/** When the GPU is expected to be done with what is awaited, by `performance.now()`. */
let expectedAt = 0;

/**
 * Says for how long nobody needs to know that what is about to be awaited is done; until shortly before, Dawn looks once
 * a millisecond.
 * On a GPU that spares garbage, whose collection would take longer than a step, and a core.
 */
export function expectGpu(ms: number): void {
  expectedAt = performance.now() + ms;
}

/**
 * While something is awaited, Dawn's Node binding looks whether it has come in an endless chain of `setImmediate`, each
 * with a function of its own: it takes a whole core, and 400 KB of garbage a token. Where the driver computes on the
 * CPU, that core is missing to it, so Dawn's chain is slowed down to a look a millisecond; on a GPU it is while the
 * wait is known to be long enough (`expectGpu`). Other callers of `setImmediate` notice nothing: Dawn's functions are
 * known by being native.
 *
 * @param always slow, whatever is expected
 */
export function paceDawn(slow: { readonly always: boolean } = { always: true }): void {
  always ||= slow.always;
  if (paced) return;
  paced = true;
  const slower = (callback: (...args: unknown[]) => void, ...args: unknown[]): NodeJS.Immediate => {
    if (args.length > 0 || !isNative(callback)) return immediate(callback, ...args);
    if (!always && expectedAt - performance.now() < SURE_MS) return immediate(callback);
    // Dawn keeps no handle, so that of a timer will do.
    return setTimeout(callback, LOOK_MS) as unknown as NodeJS.Immediate;
  };
  const { [promisify.custom]: promised } = immediate as unknown as Record<symbol, unknown>;
  globalThis.setImmediate = Object.assign(slower, { [promisify.custom]: promised }) as unknown as typeof setImmediate;
}

const NATIVE = 'function () { [native code] }';
const isNative = (callback: unknown): boolean =>
  typeof callback === 'function' && callback.name === '' && Function.prototype.toString.call(callback) === NATIVE;
