import { afterEach, describe, expect, it } from 'vitest';
import { drainWorkers } from '../../src/cluster/control/drain.js';
import { newEpoch } from '../../src/cluster/control/epoch.js';
import { WorkerAnnouncer } from '../../src/cluster/control/worker-announcer.js';
import { LossyBus } from '../support/lossy-bus.js';

describe('draining workers', () => {
  const open: WorkerAnnouncer[] = [];
  afterEach(() => open.splice(0).forEach((announcer) => announcer.leave()));

  const worker = (bus: LossyBus, port: number, onDrain: () => void = () => undefined): WorkerAnnouncer => {
    const address = { host: '127.0.0.1', port };
    const about = { worker: `127.0.0.1:${port}`, epoch: newEpoch(), address, role: 'both' as const };
    const announcer = new WorkerAnnouncer(bus, { about, onDrain });
    open.push(announcer);
    return announcer;
  };

  it('ends when each has gone or another process has come under its name, and tells none that was not named', async () => {
    const bus = new LossyBus();
    const told: string[] = [];
    const orders: string[] = [];
    const first = worker(bus, 1, () => orders.push('first'));
    worker(bus, 2, () => {
      orders.push('second');
      setTimeout(() => worker(bus, 2, () => orders.push('the one after it')), 300);
    });
    worker(bus, 3, () => orders.push('third'));
    let isOver = false;
    const tell = (what: string): void => void told.push(what);
    const drained = drainWorkers(bus, ['127.0.0.1:1', '127.0.0.1:2'], { tell }).then(() => (isOver = true));
    await expect.poll(() => told).toContain('127.0.0.1:2 has gone');
    expect([orders, isOver]).toEqual([['first', 'second'], false]);
    // What was told first is still at it.
    expect(told).toContain('127.0.0.1:1 takes nothing new and finishes what it has');
    first.leave();
    await drained;
    expect(told).toContain('127.0.0.1:1 has gone');
    expect(orders).toEqual(['first', 'second']);
  });

  it('asks again where an order is lost', async () => {
    const bus = new LossyBus();
    let leave = (): void => undefined;
    const announcer = worker(bus, 1, () => leave());
    leave = () => announcer.leave();
    const publish = bus.publish.bind(bus);
    let lost = 2;
    bus.publish = (subject, message) => {
      if ('order' in message && lost-- > 0) return;
      publish(subject, message);
    };
    await drainWorkers(bus, ['127.0.0.1:1'], { tell: () => undefined });
    expect(lost).toBeLessThan(0);
  });

  it('tells nobody where one that was named is not heard of, and gives up when it is told to', async () => {
    const bus = new LossyBus();
    const orders: string[] = [];
    worker(bus, 1, () => orders.push('first'));
    const told: string[] = [];
    const tell = (what: string): void => void told.push(what);
    await expect(drainWorkers(bus, ['127.0.0.1:1', 'else:9'], { tell })).rejects.toThrow(
      'nothing is heard of else:9, and nobody is told to end; those that tell of themselves are 127.0.0.1:1',
    );
    expect([orders, told]).toEqual([[], []]);
    const signal = AbortSignal.timeout(500);
    await expect(drainWorkers(bus, ['127.0.0.1:1'], { tell, signal })).rejects.toThrow('timeout');
    expect(orders).toEqual(['first']);
  });
});
