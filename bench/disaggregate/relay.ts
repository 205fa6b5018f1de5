import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { ShapedPipe, type LinkShape } from './shaped-pipe.js';

const host = '127.0.0.1';

/** What becomes of bytes on their way; made anew for each connection. */
export type Through = () => (bytes: Buffer) => Iterable<Buffer>;

/** A link to a port of this machine, with a rate and a delay of its own in either direction. Needs no root. */
export class Relay {
  /** Of each direction; what is under way already keeps its time. */
  shape: LinkShape;
  readonly #target: number;
  readonly #through: { readonly toClient?: Through; readonly toServer?: Through };
  readonly #server: Server;
  readonly #pipes = new Set<ShapedPipe>();
  readonly #sockets = new Set<Socket>();
  /** Connections that came while nothing goes through. */
  readonly #waiting = new Set<Socket>();
  #stalled = false;
  #carried = 0;

  private constructor(
    target: number,
    shape: LinkShape,
    through: { readonly toClient?: Through; readonly toServer?: Through },
  ) {
    this.#target = target;
    this.shape = shape;
    this.#through = through;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#came(socket));
  }

  /** @param target the port it leads to */
  static async open(
    target: number,
    shape: LinkShape = {},
    through: { readonly toClient?: Through; readonly toServer?: Through } = {},
  ): Promise<Relay> {
    const relay = new Relay(target, shape, through);
    await new Promise<void>((resolve, reject) =>
      relay.#server.once('error', reject).listen({ host, port: 0 }, () => resolve()),
    );
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Bytes that have arrived, both ways together. */
  get carried(): number {
    return [...this.#pipes].reduce((sum, { carried }) => sum + carried, this.#carried);
  }

  /** Nothing arrives, neither bytes nor the end of a connection, and newcomers reach nobody: a partition. */
  stall(): void {
    this.#stalled = true;
    for (const pipe of this.#pipes) pipe.stall();
  }

  /** What was held arrives. */
  go(): void {
    this.#stalled = false;
    for (const socket of this.#waiting) this.#join(socket);
    this.#waiting.clear();
    for (const pipe of this.#pipes) pipe.go();
  }

  /** Ends all connections, at both sides. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #came(socket: Socket): void {
    this.#watch(socket);
    if (this.#stalled) {
      this.#waiting.add(socket);
      socket.once('close', () => this.#waiting.delete(socket));
    } else this.#join(socket);
  }

  #join(client: Socket): void {
    const server = connect({ host, port: this.#target, allowHalfOpen: true });
    this.#watch(server);
    const shape = (): LinkShape => this.shape;
    const pipes = [
      new ShapedPipe(client, server, shape, this.#through.toServer?.()),
      new ShapedPipe(server, client, shape, this.#through.toClient?.()),
    ];
    let open = 2;
    const closed = (): void => {
      if (--open > 0) return;
      for (const pipe of pipes) {
        this.#carried += pipe.carried;
        this.#pipes.delete(pipe);
      }
    };
    for (const socket of [client, server]) socket.once('close', closed);
    for (const pipe of pipes) this.#pipes.add(pipe);
  }

  #watch(socket: Socket): void {
    socket.setNoDelay(true);
    socket.on('error', () => undefined); // close follows
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}
