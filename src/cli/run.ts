import { RidgepointError } from '../errors.js';
import { withFlagNames } from './options.js';

/** What the exit codes mean; the help shows them. */
export const EXIT = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const;

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
export type Signal = keyof typeof SIGNALS;

/** How long closing the engine may take before the process ends regardless, in milliseconds. */
const PATIENCE = 3000;

const aborter = new AbortController();
const closers = new Set<() => Promise<void>>();
let stoppedBy: Signal | 'closed output' | undefined;
let interruptHandler: (() => void) | undefined;
let requestHandler: ((signal: Signal) => boolean) | undefined;
let leaving: Promise<never> | undefined;

/** Aborted by Ctrl-C, by a request to terminate, and when nobody reads standard output any more. */
export const stopSignal: AbortSignal = aborter.signal;

/** Whether the reader of standard output has gone, as after `| head`. */
export const outputClosed = (): boolean => stoppedBy === 'closed output';

/** The exit code of a run that was stopped, else `code`. A reader who has enough is no failure. */
export function exitCode(code: number): number {
  if (stoppedBy === undefined) return code;
  return stoppedBy === 'closed output' ? EXIT.ok : SIGNALS[stoppedBy];
}

/** Sees to it that `close` runs before the process ends, whichever way it ends. */
export function closeAtExit(close: () => Promise<void>): void {
  closers.add(close);
}

/** Has Ctrl-C call `handler` instead of stopping the run, until called without one. */
export function onInterrupt(handler: (() => void) | undefined): void {
  interruptHandler = handler;
}

/** Has signals ask `handler` first, which says whether it sees to the end itself; until called without one. */
export function onStopRequest(handler: ((signal: Signal) => boolean) | undefined): void {
  requestHandler = handler;
}

function stop(by: Signal | 'closed output'): void {
  if (by !== 'closed output' && requestHandler?.(by)) return;
  if (by === 'SIGINT' && interruptHandler !== undefined) interruptHandler();
  else if (stoppedBy === undefined) {
    stoppedBy = by;
    aborter.abort();
  } else if (by !== 'closed output') dieBy(by);
}

/**
 * Ends at once, as a shell expects of a process that was interrupted. No destructor runs, so that no driver's thread
 * can trip over one.
 */
function dieBy(signal: Signal): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/**
 * Runs a command to its end: reports a failure in one sentence, closes what it opened, flushes, and exits. A process
 * that ends by itself while a device is open crashes now and then, so every way out of the program leads through here.
 */
export async function runToExit(command: () => Promise<number>): Promise<never> {
  for (const signal of Object.keys(SIGNALS) as Signal[]) process.on(signal, () => stop(signal));
  watchOutputs();
  const fail = (error: unknown) => void leave(report(error));
  process.on('uncaughtException', fail).on('unhandledRejection', fail);
  let code: number;
  try {
    code = await command();
  } catch (error) {
    code = report(error);
  }
  return leave(exitCode(code));
}

/** A closed pipe is a reader who has seen enough: stop, and say nothing. */
export function watchOutputs(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') void leave(report(error));
    else stop('closed output');
  });
  process.stderr.on('error', () => undefined); // nobody is left to be told
}

/** Closes, flushes and exits; asked twice, the first exit code stays. */
export function leave(code: number): Promise<never> {
  return (leaving ??= (async () => {
    const closing = Promise.allSettled([...closers].map((close) => close()));
    await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
    await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
    process.exit(code);
  })());
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve();
    else stream.write('', () => resolve());
  });
}

/** Tells the user about a failure and returns the exit code it has. */
export function report(failure: unknown): number {
  if (stoppedBy !== undefined && (failure as Error | undefined)?.name === 'AbortError') return exitCode(EXIT.failure);
  const error = withFlagNames(failure);
  const known = error instanceof RidgepointError;
  const message = error instanceof Error ? error.message : String(error);
  const debug = (process.env.RIDGEPOINT_DEBUG ?? '') !== '';
  if (known) process.stderr.write(`ridgepoint: ${message}\n`);
  else {
    const hint = debug ? '' : ' (a fault of ours; set RIDGEPOINT_DEBUG=1 to see where)';
    process.stderr.write(`ridgepoint: unexpected error: ${message.split('\n', 1)[0]}${hint}\n`);
  }
  if (debug && failure instanceof Error) process.stderr.write(`${failure.stack}\n`);
  return known && error.code === 'usage' ? EXIT.usage : EXIT.failure;
}
