import type { Address } from '../../cluster/address.js';
import { refuseFlag, whole } from './parse.js';

/** Reads `HOST:PORT`, an IPv6 address in brackets. */
export function address(option: string): (text: string) => Address {
  return (text) => {
    const [, host, digits] = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(text.trim()) ?? [];
    const port = Number(digits);
    return host !== undefined && port <= 65535
      ? { host, port }
      : refuseFlag(option, 'a host and a port, such as 127.0.0.1:7070', text);
  };
}

/** A port to listen on. */
export function port(text: string): number {
  const value = whole('--port', 0)(text);
  return value <= 65535 ? value : refuseFlag('--port', 'a whole number from 0 to 65535', text);
}

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
