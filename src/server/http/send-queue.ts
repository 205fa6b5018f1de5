import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';

const FILES = process.platform === 'linux' ? ['/proc/net/tcp', '/proc/net/tcp6'] : [];

/**
 * Bytes that the system has taken from us for a connection and its other end has not taken yet. Only this tells a slow
 * reader from one that reads nothing: the system asks for more only when a third of its megabytes is free again.
 *
 * @returns undefined where the system does not say
 */
export async function sendQueue(socket: Socket): Promise<number | undefined> {
  const { localPort, remotePort, remoteAddress } = socket;
  if (localPort === undefined || remotePort === undefined || remoteAddress === undefined) return undefined;
  const port = (number: number): string => number.toString(16).toUpperCase().padStart(4, '0');
  const line = new RegExp(
    `: [0-9A-F]+:${port(localPort)} [0-9A-F]*${lastWord(remoteAddress)}:${port(remotePort)} [0-9A-F]+ ([0-9A-F]+):`,
  );
  for (const file of FILES) {
    const found = line.exec(await readFile(file, 'latin1').catch(() => ''));
    if (found !== null) return parseInt(found[1], 16);
  }
  return undefined;
}

/** The last 32 bits of an address as the kernel prints them, lowest byte first. */
export function lastWord(address: string): string {
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const bytes =
    dotted === null
      ? address
          .replace(/%.*$/, '')
          .split(':')
          .slice(-2)
          .map((group) => group.padStart(4, '0'))
          .join('')
      : dotted
          .slice(1)
          .map((byte) => Number(byte).toString(16).padStart(2, '0'))
          .join('');
  return bytes.match(/../g)!.reverse().join('').toUpperCase();
}
