import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { visible } from './output.js';

const PROMPT = '> ';

/**
 * Lines that a user types or pipes in. On a terminal they are edited after a prompt and remembered; what is typed while
 * a reply is being printed stays unseen until the next prompt, so that the two do not mix.
 */
export class LineReader {
  readonly #lines: string[] = [];
  readonly #readline: Interface;
  #waiting: ((line: string | undefined) => void) | undefined;
  #closed = false;
  #muted = true;
  readonly #terminal: NodeJS.WriteStream | undefined;

  /**
   * @param terminal where the prompt is shown; undefined when lines come from a pipe
   * @param onInterrupt called for Ctrl-C, which a terminal in raw mode does not turn into a signal
   */
  constructor(terminal: NodeJS.WriteStream | undefined, onInterrupt: () => void) {
    this.#terminal = terminal;
    this.#readline = createInterface({
      input: process.stdin,
      output: terminal && this.#mutable(terminal),
      terminal: terminal !== undefined,
      prompt: PROMPT,
      crlfDelay: Infinity,
    });
    this.#readline.on('line', (line) => {
      if (this.#waiting === undefined) this.#lines.push(line);
      else this.#answer(line);
    });
    this.#readline.on('close', () => this.#end());
    this.#readline.on('SIGINT', onInterrupt);
  }

  /** The next line, or undefined at the end of the input. */
  next(): Promise<string | undefined> {
    const line = this.#lines.shift();
    if (line !== undefined) {
      this.#terminal?.write(`${PROMPT}${visible(line)}\n`); // typed ahead, and not seen yet
      return Promise.resolve(line);
    }
    if (this.#closed) return Promise.resolve(undefined);
    const answer = new Promise<string | undefined>((resolve) => (this.#waiting = resolve));
    this.#muted = false;
    if (this.#terminal !== undefined) this.#readline.prompt(true);
    return answer;
  }

  /** Throws away what stands after the prompt; returns whether there was anything. */
  clearLine(): boolean {
    const had = this.#readline.line !== '';
    this.#readline.write(null, { ctrl: true, name: 'e' });
    this.#readline.write(null, { ctrl: true, name: 'u' });
    return had;
  }

  /** Says something above the prompt. */
  say(text: string): void {
    this.#terminal?.write(`\r\x1b[K${text}\n`);
    if (!this.#muted) this.#readline.prompt(true);
  }

  close(): void {
    this.#readline.close();
    this.#end();
  }

  #answer(line: string | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#muted = true;
    waiting?.(line);
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#muted) this.#terminal?.write('\n'); // leave the prompt's line
    this.#answer(undefined);
  }

  /** The terminal as readline sees it. */
  #mutable(terminal: NodeJS.WriteStream): NodeJS.WritableStream {
    const output = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (!this.#muted) terminal.write(chunk);
        done();
      },
    });
    terminal.on('resize', () => output.emit('resize'));
    return Object.defineProperty(output, 'columns', { get: () => terminal.columns });
  }
}
