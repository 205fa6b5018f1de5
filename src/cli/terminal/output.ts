import { fstatSync, fsyncSync, writeSync } from 'node:fs';
import { codeOf } from '../../platform/node/disk.js';
import { withoutSecrets } from '../../platform/node/secrets.js';

/*
 * The one place that writes to standard output and standard error. What comes out of files, of the Hub or of a model may
 * hold characters that a terminal acts on; they are written out there, never sent.
 */

const STDOUT = 1;

/** What a terminal acts on: control characters but tabs and line ends. */
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]|\r(?!\n)/g;
/** What changes the order or the lines of text around it. */
const ORDERS = /[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

const escaped = (c: string): string => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Text as a terminal may be sent it: control characters as JSON writes them, tabs and line ends as they are. */
export const visible = (text: string): string => text.replace(CONTROLS, escaped);

/** As `visible`, for what is shown beside words of our own: it stays on its line and in its place. */
export const visibleLine = (text: string): string =>
  visible(text.trim().replace(/\s*[\r\n]+\s*/g, ' ')).replace(ORDERS, escaped);

let failure: Error | undefined;
let onFailure: ((error: Error) => void) | undefined;
let kind: 'terminal' | 'file' | 'stream' | undefined;

/** The first failure to write to standard output, if there was one; a closed pipe counts. */
export const outputFailure = (): Error | undefined => failure;

/** Calls `handler` at the first failure to write to standard output. */
export function watchOutput(handler: (error: Error) => void): void {
  onFailure = handler;
}

/** Notes that standard output could not be written. */
export function outputFailed(error: Error): void {
  if (failure !== undefined) return;
  failure = error;
  onFailure?.(error);
}

/** Writes to standard output: in full, or the run fails. As it is, but for a terminal, which gets it `visible`. */
export function print(text: string): void {
  if (failure !== undefined) return;
  kind ??= process.stdout.isTTY ? 'terminal' : isFile() ? 'file' : 'stream';
  if (kind === 'file') writeInFull(Buffer.from(text));
  else process.stdout.write(kind === 'terminal' ? visible(text) : text); // failures come as events
}

/** A file takes part of what it is given when its disk fills up, which Node's stream does not look at. */
function writeInFull(bytes: Buffer): void {
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(STDOUT, bytes, done);
  } catch (error) {
    outputFailed(error as Error);
  }
}

function isFile(): boolean {
  try {
    const info = fstatSync(STDOUT);
    return info.isFile() || info.isCharacterDevice();
  } catch {
    return false;
  }
}

/** Resolves when all that was printed has been taken, or is known not to be. */
export async function outputDone(): Promise<void> {
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  if (kind !== 'file' || failure !== undefined) return;
  try {
    fsyncSync(STDOUT); // a disk across a network says only now that it is full
  } catch (error) {
    if (['ENOSPC', 'EDQUOT', 'EIO'].includes(codeOf(error) ?? '')) outputFailed(error as Error);
  }
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve();
    else stream.write('', () => resolve());
  });
}

/** Writes lines to standard error, `visible` and without secrets; `style` may put the terminal's own words around. */
export function tell(text: string, style = (shown: string): string => shown): void {
  process.stderr.write(style(withoutSecrets(visible(text))));
}

/** Rewrites the last line of a terminal on standard error; clears it when called without a text. */
export function status(text = ''): void {
  process.stderr.write(`\r\x1b[K${withoutSecrets(visibleLine(text))}`);
}
