import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findNatsServer, natsConfig } from '../../src/platform/node/nats/nats-server.js';
import { freePorts } from '../../src/platform/node/free-ports.js';

/** Whether there is a NATS server here; tests that need it are left out by name where there is none. */
export const hasNats = findNatsServer() !== undefined;

/** A NATS server of a test's own, which can be killed and started anew. */
export class TestNats {
  readonly #folder = mkdtempSync(join(tmpdir(), 'ridgepoint-nats-'));
  #child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    /** With user and password. */
    readonly url: string,
  ) {}

  /**
   * @param tls files of a certificate, and of who must have signed those of clients, which are then asked for one
   * @param lines of its configuration, which count more than ours
   */
  static async start(
    tls?: { readonly cert: string; readonly key: string; readonly ca?: string },
    lines = '',
  ): Promise<TestNats> {
    const [port] = await freePorts(1);
    const nats = new TestNats(port, `${tls === undefined ? 'nats' : 'tls'}://tests:se%2Fcret@127.0.0.1:${port}`);
    const config = natsConfig({ port, user: 'tests', password: 'se/cret', folder: join(nats.#folder, 'store') });
    const asks = tls?.ca === undefined ? '' : `ca_file: "${tls.ca}", verify: true`;
    const secure = tls === undefined ? '' : `tls { cert_file: "${tls.cert}", key_file: "${tls.key}", ${asks} }\n`;
    writeFileSync(join(nats.#folder, 'nats.conf'), config + secure + lines);
    await nats.again();
    return nats;
  }

  /** Starts it, and resolves when it takes connections. */
  async again(): Promise<void> {
    this.#child = spawn(findNatsServer()!, ['-c', join(this.#folder, 'nats.conf')], { stdio: 'ignore' });
    while (!(await answers(this.port))) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** Ends it without a word, and resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    // It greets whoever connects.
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
