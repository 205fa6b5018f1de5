import { promisify } from 'node:util';

/** Milliseconds between two of Dawn's looks at whether the GPU has finished, on an adapter that shares our cores. */
const LOOK_MS = 1;

const immediate = globalThis.setImmediate;
let paced = false;

/**
 * While something is awaited, Dawn's Node binding looks whether it has come in an endless chain of `setImmediate`, each
 * with a function of its own: it takes a whole core, and 400 KB of garbage a token. Where the driver computes on the
 * CPU, that core is missing to it, so Dawn's chain is slowed down to a look a millisecond. Other callers of
 * `setImmediate` notice nothing: Dawn's functions are known by being native.
 */
export function paceDawn(): void {
  if (paced) return;
  paced = true;
  const slower = (callback: (...args: unknown[]) => void, ...args: unknown[]): NodeJS.Immediate => {
    if (args.length > 0 || !isNative(callback)) return immediate(callback, ...args);
    // Dawn keeps no handle, so that of a timer will do.
    return setTimeout(callback, LOOK_MS) as unknown as NodeJS.Immediate;
  };
  const { [promisify.custom]: promised } = immediate as unknown as Record<symbol, unknown>;
  globalThis.setImmediate = Object.assign(slower, { [promisify.custom]: promised }) as unknown as typeof setImmediate;
}

const NATIVE = 'function () { [native code] }';
const isNative = (callback: unknown): boolean =>
  typeof callback === 'function' && callback.name === '' && Function.prototype.toString.call(callback) === NATIVE;
