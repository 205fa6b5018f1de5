import { RidgepointError } from '../errors.js';
import { codeOf, whyUnwritable } from '../platform/node/disk.js';
import { inFlagWords } from './options/names.js';
import { outputDone, outputFailed, outputFailure, tell, visibleLine, watchOutput } from './terminal/output.js';

/** What the exit codes mean; the help shows them. */
export const EXIT = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const;

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
export type Signal = keyof typeof SIGNALS;

/** How long closing the engine may take before the process ends regardless, in milliseconds. */
const PATIENCE = 3000;
/** How long a command may take to end once it was told to, in milliseconds; then it is left where it stands. */
const LONGEST_END = 10_000;

const aborter = new AbortController();
const closers = new Set<() => Promise<void>>();
/** What a run is stopped by, other than a signal: nobody reads its output, or it cannot be written. */
type Ending = 'closed output' | 'failed output';
let stoppedBy: Signal | Ending | undefined;
let interruptHandler: (() => void) | undefined;
let requestHandler: ((signal: Signal) => boolean) | undefined;
let leaving: Promise<never> | undefined;

/** Aborted by Ctrl-C, by a request to terminate, and when nobody reads standard output any more. */
export const stopSignal: AbortSignal = aborter.signal;

/** Whether standard output takes no more: its reader has gone, as after `| head`, or its disk is full. */
export const outputClosed = (): boolean => isEnding(stoppedBy);

const isEnding = (by: typeof stoppedBy): by is Ending => by === 'closed output' || by === 'failed output';

/** The exit code of a run that was stopped, else `code`. A reader who has enough is no failure. */
export function exitCode(code: number): number {
  if (stoppedBy === undefined) return code;
  if (stoppedBy === 'failed output') return EXIT.failure;
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

function stop(by: Signal | Ending): void {
  if (!isEnding(by) && requestHandler?.(by)) return;
  if (by === 'SIGINT' && interruptHandler !== undefined) interruptHandler();
  else if (stoppedBy === undefined) {
    stoppedBy = by;
    aborter.abort();
    if (!isEnding(by)) setTimeout(() => void leave(exitCode(EXIT.failure)), LONGEST_END).unref();
  } else if (!isEnding(by)) dieBy(by);
}

/**
 * Ends at once, as a shell expects of a process that was interrupted. No destructor runs, so that no driver's thread
 * can trip over one.
 */
function dieBy(signal: Signal): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

const onSignal = Object.fromEntries(
  Object.keys(SIGNALS).map((signal) => [signal, () => stop(signal as Signal)]),
) as Record<Signal, () => void>;

/**
 * Runs work that comes with a model, the patterns of a tokenizer or a chat template, and may take for ever without
 * giving signals a turn: meanwhile they end the process as if nobody looked at them.
 */
export function endable<T>(work: () => T): T {
  const signals = (Object.keys(SIGNALS) as Signal[]).filter((signal) =>
    process.listeners(signal).includes(onSignal[signal]),
  );
  // On a terminal in raw mode Ctrl-C is a character, which nobody would read.
  const wasRaw = process.stdin.isTTY && process.stdin.isRaw;
  if (wasRaw) process.stdin.setRawMode(false);
  for (const signal of signals) process.off(signal, onSignal[signal]);
  try {
    return work();
  } finally {
    for (const signal of signals) process.on(signal, onSignal[signal]);
    if (wasRaw) process.stdin.setRawMode(true);
  }
}

/**
 * Runs a command to its end: reports a failure in one sentence, closes what it opened, flushes, and exits. A process
 * that ends by itself while a device is open crashes now and then, so every way out of the program leads through here.
 */
export async function runToExit(command: () => Promise<number>): Promise<never> {
  for (const signal of Object.keys(SIGNALS) as Signal[]) process.on(signal, onSignal[signal]);
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

/** A closed pipe is a reader who has seen enough: stop, and say nothing. Any other failure is told at the end. */
export function watchOutputs(): void {
  process.stdout.on('error', outputFailed);
  process.stderr.on('error', () => undefined); // nobody is left to be told
  watchOutput((error) => stop(codeOf(error) === 'EPIPE' ? 'closed output' : 'failed output'));
}

/** Closes, flushes and exits; asked twice, the first exit code stays. */
export function leave(code: number): Promise<never> {
  return (leaving ??= (async () => {
    const closing = Promise.allSettled([...closers].map((close) => close()));
    await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
    // A reader that takes nothing keeps nobody from ending what it reads.
    await Promise.race([outputDone(), stoppedFor(PATIENCE)]);
    const failure = outputFailure();
    const isLost = failure !== undefined && codeOf(failure) !== 'EPIPE';
    if (isLost) tell(`ridgepoint: standard output cannot be written: ${whyUnwritable(failure)}\n`);
    const last = outputClosed() ? code : exitCode(code);
    process.exit(isLost && last === EXIT.ok ? EXIT.failure : last);
  })());
}

/** Resolves so many milliseconds after a signal has stopped the run, if one does. */
function stoppedFor(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const wait = (): void => void setTimeout(resolve, ms).unref();
    if (stopSignal.aborted) wait();
    else stopSignal.addEventListener('abort', wait, { once: true });
  });
}

/** Tells the user about a failure and returns the exit code it has. */
export function report(error: unknown): number {
  if (stoppedBy !== undefined && (error as Error | undefined)?.name === 'AbortError') return exitCode(EXIT.failure);
  const known = error instanceof RidgepointError;
  const message = visibleLine(error instanceof Error ? inFlagWords(error) : String(error));
  const debug = (process.env.RIDGEPOINT_DEBUG ?? '') !== '';
  if (known) tell(`ridgepoint: ${message}\n`);
  else if (isOfSystem(error)) tell(`ridgepoint: ${aboutSystem(error)}\n`);
  else {
    const hint = debug ? '' : ' (a fault of ours; set RIDGEPOINT_DEBUG=1 to see where)';
    tell(`ridgepoint: unexpected error: ${message}${hint}\n`);
  }
  if (debug && error instanceof Error) tell(`${error.stack}\n`);
  return known && error.code === 'usage' ? EXIT.usage : EXIT.failure;
}

/** What the operating system refuses is no fault of ours where the machine lacks something. */
const isOfSystem = (error: unknown): error is NodeJS.ErrnoException =>
  ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EMFILE', 'ENFILE', 'ENOMEM', 'EACCES', 'EPERM'].includes(codeOf(error) ?? '');

function aboutSystem(error: NodeJS.ErrnoException): string {
  const what = error.path === undefined ? (error.syscall ?? 'the system') : error.path;
  return `${visibleLine(what)}: ${whyUnwritable(error)}`;
}
