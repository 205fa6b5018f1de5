import { Counter, type Registry } from 'prom-client';

/** Counters of what something else counts: each is read when it is asked for. */
export function countersOf(registry: Registry) {
  const registers = [registry];
  return {
    counter(this: void, name: string, help: string, read: () => number): void {
      new Counter({
        ...{ name: `ridgepoint_${name}`, help, registers },
        collect() {
          this.reset();
          this.inc(read());
        },
      });
    },
    byReason(this: void, name: string, help: string, read: () => ReadonlyMap<string, number>): void {
      new Counter({
        ...{ name: `ridgepoint_${name}`, help, labelNames: ['reason'], registers },
        collect() {
          this.reset();
          for (const [reason, count] of read()) this.inc({ reason }, count);
        },
      });
    },
  };
}
