/** Where a NATS server is, and who we are to it. */
export interface NatsUrl {
  /** `HOST:PORT`, as its client takes it. */
  readonly server: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Instead of user and password. */
  readonly token: string | undefined;
  readonly isTls: boolean;
  /** As it was written, with what is secret. */
  readonly given: string;
  /** Without what is secret, for logs. */
  readonly shown: string;
}

/**
 * Reads `nats://HOST:4222`, `tls://HOST:4222`, either with `USER:PASSWORD@` or `TOKEN@` in front of the host.
 *
 * @returns undefined for what is none
 */
export function natsUrlOf(given: string): NatsUrl | undefined {
  let url: URL;
  let who: string[];
  try {
    url = new URL(given);
    who = [url.username, url.password].map(decodeURIComponent);
  } catch {
    return undefined;
  }
  const { protocol, hostname, pathname, search, hash } = url;
  if (!['nats:', 'tls:'].includes(protocol) || hostname === '' || !['', '/'].includes(pathname)) return undefined;
  if (search !== '' || hash !== '') return undefined;
  const server = `${hostname}:${url.port === '' ? '4222' : url.port}`;
  const [name, password] = who;
  const isUser = password !== '';
  return {
    server,
    user: isUser ? name : undefined,
    password: isUser ? password : undefined,
    token: isUser || name === '' ? undefined : name,
    isTls: protocol === 'tls:',
    given,
    shown: `${protocol}//${server}`,
  };
}
