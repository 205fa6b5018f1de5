import type { CommandTable } from './command-table.js';
import { pemFile } from './wire.js';

/** Whom a NATS server at `tls://` must be signed by, and what is shown to it. */
export const CONTROL = {
  natsTlsCa: {
    kind: pemFile,
    flags: '--nats-tls-ca <file>',
    help: 'who must have signed the certificate of a NATS server at tls:// (default: the system’s authorities)',
  },
  natsTlsCert: {
    kind: pemFile,
    flags: '--nats-tls-cert <file>',
    help: 'certificate that is shown to a NATS server that asks for one, as PEM',
  },
  natsTlsKey: { kind: pemFile, flags: '--nats-tls-key <file>', help: 'the private key that goes with it' },
} as const satisfies CommandTable;
