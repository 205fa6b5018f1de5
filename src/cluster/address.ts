/** Where a worker is reached: a port of a host, or a socket in this machine's file system. */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

/** As it is typed: `127.0.0.1:7070`, `[::1]:7070`, `unix:/run/worker.sock`. */
export function addressText(address: Address): string {
  if ('path' in address) return `unix:${address.path}`;
  const { host, port } = address;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Whether a value from elsewhere is an address. */
export function isAddress(value: unknown): value is Address {
  const { host, port, path } = Object(value) as { host?: unknown; port?: unknown; path?: unknown };
  return typeof path === 'string' || (typeof host === 'string' && Number.isInteger(port));
}

/** Whether only this machine can reach a host. */
export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');

/** Whether only this machine can reach an address. */
export const isLocal = (address: Address): boolean => 'path' in address || isLoopback(address.host);

/** Whether it stands for all interfaces of a machine, so that nobody else can connect to it by that name. */
export const isEverywhere = (address: Address): boolean =>
  'host' in address && (address.host === '0.0.0.0' || /^[0:]+$/.test(address.host));
