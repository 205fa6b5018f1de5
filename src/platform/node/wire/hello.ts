import * as zlib from 'node:zlib';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { encodeHead, type Crc, type Frame } from '../../../cluster/frame.js';
import type { KvLayout, KvNumerics } from '../../../engine/kv-transfer.js';
import { RidgepointError } from '../../../errors.js';
import { isSameSecret } from '../secrets.js';

/** What each side of a connection says first. */
export interface Hello {
  readonly token?: string;
  readonly layout: KvLayout;
  readonly numerics: KvNumerics;
}

/** What a router says first. */
export interface RouterHello {
  readonly token?: string;
  readonly router: true;
}

/** Whether a token is the one that is asked for. */
export function tokenFits(wanted: string | undefined, given: string | undefined): boolean {
  return wanted === undefined || isSameSecret(wanted, given ?? '');
}

/** Older than the rest of what is used here: the first Node 20 have none. */
const { crc32 } = zlib as { readonly crc32?: Crc };

/** @throws RidgepointError where this Node has no CRC-32 */
export function crc(bytes: Uint8Array, before?: number): number {
  if (crc32 !== undefined) return crc32(bytes, before);
  throw new RidgepointError('usage', `moving keys and values needs Node.js 20.15 or newer; this is ${process.version}`);
}

/** TLS finds what has changed on the way itself. */
const NO_CRC: Crc = () => 0;

/** The checksum of frames. */
export const checksum = (isEncrypted: boolean): Crc => (isEncrypted ? NO_CRC : crc);

export const checksumOf = (socket: Socket): Crc => checksum(socket instanceof TLSSocket);

export const jsonBytes = (value: object): Uint8Array => Buffer.from(JSON.stringify(value));

export const jsonOf = (payload: Uint8Array): unknown => JSON.parse(Buffer.from(payload).toString());

/** Writes a frame, head and payload together. @param done called when the payload is not needed any more */
export function send(
  socket: Socket,
  frame: Frame,
  payload: Uint8Array = new Uint8Array(0),
  done?: () => void,
  sum?: number,
): void {
  const head = encodeHead(frame, payload, checksumOf(socket), sum);
  socket.cork();
  socket.write(head);
  if (payload.length > 0) socket.write(payload, done);
  socket.uncork();
}
