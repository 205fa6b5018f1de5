import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBus } from '../../src/cli/options/bus.js';
import { natsUrlOf } from '../../src/platform/node/nats/nats-url.js';
import { hasNats, TestNats } from '../support/nats.js';

const file = (name: string): string => join(import.meta.dirname, 'certificates', `${name}.pem`);
const OURS = { cert: file('worker'), key: file('worker-key'), ca: file('ca') };

describe.skipIf(!hasNats)('a NATS server at tls://', () => {
  let open: TestNats;
  let strict: TestNats;
  beforeAll(async () => {
    [open, strict] = await Promise.all([TestNats.start({ cert: OURS.cert, key: OURS.key }), TestNats.start(OURS)]);
  });
  afterAll(() => Promise.all([open.end(), strict.end()]));

  /** Whether a message comes back, or why there is no connection. */
  const tried = async (url: string, files: Parameters<typeof openBus>[0]): Promise<string> => {
    const told: string[] = [];
    const bus = (await openBus(
      { cluster: natsUrlOf(url)!, ...files },
      { name: 'test', tell: (what) => told.push(what) },
    ))!;
    try {
      const came = new Promise<string>((resolve) =>
        bus.subscribe('here', (message) => resolve(JSON.stringify(message))),
      );
      const refused = new Promise<string>((resolve) => {
        bus.connection().then(
          () => bus.publish('here', { is: 'there' }),
          () => resolve(told.join()),
        );
      });
      return await Promise.race([came, refused]);
    } finally {
      await bus.close();
    }
  };

  it('is spoken to where the authority that was named has signed its certificate', async () => {
    expect(await tried(open.url, { natsTlsCa: OURS.ca })).toBe('{"is":"there"}');
  });
  it('is not where another one has', async () => {
    expect(await tried(open.url, { natsTlsCa: file('stranger') })).toMatch(/cannot be used: .*verify/);
    expect(await tried(open.url, {})).toMatch(/cannot be used: .*verify/);
  });

  it('is not where it speaks in the clear after all', async () => {
    const clear = await TestNats.start();
    expect(await tried(clear.url.replace('nats:', 'tls:'), { natsTlsCa: OURS.ca })).toContain("not support 'tls'");
    await clear.end();
  });

  it('is shown a certificate where it asks for one', async () => {
    const shown = { natsTlsCa: OURS.ca, natsTlsCert: OURS.cert, natsTlsKey: OURS.key };
    expect(await tried(strict.url, shown)).toBe('{"is":"there"}');
  });

  it('has options that want its address, and each other', async () => {
    const { url } = open;
    await expect(
      openBus({ cluster: natsUrlOf(url.replace('tls', 'nats'))!, natsTlsCa: OURS.ca }, { name: 'test' }),
    ).rejects.toThrow(`--nats-tls-ca is for a NATS server at tls://, and nats://127.0.0.1:${open.port} is none`);
    await expect(openBus({ cluster: natsUrlOf(url)!, natsTlsKey: OURS.key }, { name: 'test' })).rejects.toThrow(
      '--nats-tls-key needs --nats-tls-cert',
    );
  });
});
