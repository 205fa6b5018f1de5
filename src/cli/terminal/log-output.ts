import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { withoutSecrets } from '../../platform/node/secrets.js';
import { visible } from './output.js';

const STDOUT = 1;
/** Bytes of lines that wait for a reader; more are left out. */
const MOST_WAITING = 2 ** 20;
/** When a reader that was full is tried again, in milliseconds. */
const RETRY_MS = 100;

/** Where lines go; answers with the bytes taken, and throws where there is no place for them. */
interface Sink {
  write(bytes: Buffer): number;
}

/**
 * Lines of a log on standard output, which may neither hold up nor end what is logged: with a full disk, or a reader
 * that takes nothing or has gone, lines are left out, and how many is said when there is room again.
 */
export class LogOutput {
  readonly #sink: Sink;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #lost = 0;
  /** How many the line in front, where it is ours, says are lost. */
  #said = 0;
  /** Whether only the rest of the first line waits, and whether a line was left cut in two. */
  #begun = false;
  #torn = false;
  #told = false;
  #timer: NodeJS.Timeout | undefined;

  readonly #tell: (reason: string) => void;

  /** @param tell is told, once, why lines are left out */
  constructor(tell: (reason: string) => void, sink: Sink = standardOutput()) {
    this.#tell = tell;
    this.#sink = sink;
  }

  /** Takes a line, with its end; never throws, never waits. */
  write(line: string): void {
    const bytes = Buffer.from(withoutSecrets(visible(line)));
    if (this.#bytes + bytes.length > MOST_WAITING) {
      this.#leaveOut(1, 'its reader takes nothing');
      return;
    }
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    if (this.#timer === undefined) this.#flush();
  }

  #flush(): void {
    this.#timer = undefined;
    try {
      if (this.#torn && this.#waiting.length > 0) {
        this.#sink.write(Buffer.from('\n'));
        this.#torn = false;
      }
      while (this.#waiting.length > 0) {
        this.#sayLost();
        const [line] = this.#waiting;
        const taken = this.#sink.write(line);
        this.#bytes -= taken;
        this.#begun = taken < line.length;
        if (this.#begun) this.#waiting[0] = line.subarray(taken);
        else {
          this.#waiting.shift();
          this.#said = 0;
        }
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') this.#timer = setTimeout(() => this.#flush(), RETRY_MS).unref();
      else this.#drop(message);
    }
  }

  /** A line between two others, once there is room again. */
  #sayLost(): void {
    if (this.#lost === 0 || this.#begun) return;
    const said = {
      level: 40,
      time: Date.now(),
      pid: process.pid,
      msg: `${this.#lost} lines of this log were left out`,
    };
    const line = Buffer.from(`${JSON.stringify(said)}\n`);
    this.#said = this.#lost;
    this.#lost = 0;
    this.#waiting.unshift(line);
    this.#bytes += line.length;
  }

  /** What waits has no place; the next line is tried again. */
  #drop(reason: string): void {
    this.#torn ||= this.#begun;
    this.#begun = false;
    const count = this.#waiting.length + (this.#said > 0 ? this.#said - 1 : 0);
    this.#said = 0;
    this.#waiting = [];
    this.#bytes = 0;
    this.#leaveOut(count, reason);
  }

  #leaveOut(count: number, reason: string): void {
    this.#lost += count;
    if (this.#told) return;
    this.#told = true;
    this.#tell(reason);
  }
}

/**
 * Standard output such that writing never waits. A pipe and a terminal are opened anew for that, since the flag belongs
 * to the opening and others may share ours; a file does not wait; a socket is Node's to keep.
 */
export function standardOutput(descriptor = STDOUT): Sink {
  const own = process.platform === 'linux' ? openNonblocking(descriptor) : undefined;
  if (own === undefined) return nodesOwn();
  return { write: (bytes) => writeSync(own, bytes) };
}

function openNonblocking(descriptor: number): number | undefined {
  try {
    const status = fstatSync(descriptor);
    if (status.isFIFO() || isatty(descriptor)) {
      const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
      return openSync(`/proc/self/fd/${descriptor}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
    }
    return status.isSocket() ? undefined : descriptor;
  } catch {
    return undefined;
  }
}

function nodesOwn(): Sink {
  let failure: Error | undefined;
  // A log that nobody reads ends nothing.
  const { stdout } = process;
  stdout.removeAllListeners('error').on('error', (error: Error) => void (failure = error));
  return {
    write: (bytes) => {
      if (failure !== undefined) throw failure;
      if (stdout.writableLength > MOST_WAITING) throw Object.assign(new Error('full'), { code: 'EAGAIN' });
      stdout.write(bytes);
      return bytes.length;
    },
  };
}
