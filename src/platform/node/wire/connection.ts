import { chmod, unlink } from 'node:fs/promises';
import * as net from 'node:net';
import * as tls from 'node:tls';
import type { Address } from '../../../cluster/address.js';

/** What connections are encrypted with, each as PEM. */
export interface WireTls {
  /** Of this process, and its key: a worker must have them. */
  readonly cert?: string;
  readonly key?: string;
  /** Who has signed those of others. A worker that has it lets in only who shows one; default the system's for workers. */
  readonly ca?: string;
}

/** What both ends of a connection must agree on. */
export interface WireOptions {
  readonly token?: string;
  /** None: connections are not encrypted. */
  readonly tls?: WireTls;
}

/** Somebody who shakes no hands is hung up on, in milliseconds. */
const HANDSHAKE_MS = 5000;

/**
 * Connects to a worker.
 *
 * @param ready called when frames can be sent
 * @param onread where bytes land, instead of `data` events
 */
export function connectTo(
  address: Address,
  security: WireTls | undefined,
  ready: (socket: net.Socket) => void,
  onread?: net.OnReadOpts,
): net.Socket {
  const options = { ...address, noDelay: true, onread };
  if (security === undefined) {
    const socket: net.Socket = net.connect(options, () => ready(socket));
    return socket;
  }
  const { cert, key, ca } = security;
  // Names are checked by the certificate; an address in the file system has none but this machine's.
  const servername = 'path' in address || net.isIP(address.host) > 0 ? '' : address.host;
  const host = 'path' in address ? 'localhost' : address.host;
  const checked = { cert, key, ca, servername, checkServerIdentity: nameCheck(host) };
  const socket: net.Socket = tls.connect({ ...options, ...checked }, () => ready(socket));
  return socket;
}

const nameCheck =
  (host: string) =>
  (_asked: string, certificate: tls.PeerCertificate): Error | undefined =>
    tls.checkServerIdentity(host, certificate);

/** A worker's door. */
export interface WireServer {
  readonly server: net.Server;
  /** Ends all connections and listens no more. */
  close(): Promise<void>;
}

/**
 * A server for frames.
 *
 * @param connected gets each connection once it is encrypted, where it is to be
 * @param refused told of who could not be understood, in words
 * @throws Error where certificate and key are none
 */
export function wireServer(
  security: WireTls | undefined,
  connected: (socket: net.Socket) => void,
  refused: (who: string | undefined, why: string) => void,
): WireServer {
  const sockets = new Set<net.Socket>();
  const server = security === undefined ? net.createServer(connected) : tls.createServer(tlsOf(security), connected);
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined); // close follows
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', (error: Error, socket: tls.TLSSocket) => {
    refused(socket.remoteAddress, error.message.replace(/^[0-9A-F]+:error:[^:]*:[^:]*:/, '').split(':')[0]);
    socket.destroy();
  });
  return {
    server,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function tlsOf({ cert, key, ca }: WireTls): tls.TlsOptions {
  const asked = ca !== undefined;
  return { cert, key, ca, requestCert: asked, rejectUnauthorized: asked, handshakeTimeout: HANDSHAKE_MS };
}

/**
 * Listens at an address. A socket in the file system is for this user alone, and one that a process has left behind is
 * taken over.
 *
 * @returns the address it is reached at, with the port that was free for port 0
 */
export async function listenAt(server: net.Server, address: Address): Promise<Address> {
  if (!('path' in address)) {
    await listening(server, address);
    return { host: address.host, port: (server.address() as net.AddressInfo).port };
  }
  try {
    await listening(server, address);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || (await isAnswered(address.path))) throw error;
    await unlink(address.path);
    await listening(server, address);
  }
  await chmod(address.path, 0o600);
  return address;
}

function listening(server: net.Server, address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen({ ...address }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ path });
    const say = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', say(true)).once('error', say(false));
  });
}
