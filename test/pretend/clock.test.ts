import { expect, it } from 'vitest';
import { built } from '../platform/child.js';
import { describePretend, runModulePretended } from '../support/pretend-gpu/run.js';

/** Single steps of the built-in model, each operation timed, then the engine's own, each step timed. */
const PROFILE = `
  import { startEngine } from ${built('engine/start.js')};
  import { nodeHost } from ${built('platform/node/host.js')};
  const engine = await startEngine({}, nodeHost);
  await engine.ready;
  const probe = engine.probe();
  const steps = [
    (await probe.decode(1, 40, { profile: true })).operations,
    (await probe.prefill(64, 0, { profile: true })).operations,
  ];
  console.log(JSON.stringify(steps));
  await engine.dispose();
  process.exit(0);`;

const US = 50;

describePretend('the clock of a pretended GPU', () => {
  it('shows operations whose times hold nothing of the one before, and add up to the step', async () => {
    const { code, stdout, stderr } = await runModulePretended(PROFILE, { launchUs: US });
    expect(code, stderr).toBe(0);
    const steps = JSON.parse(stdout.trim().split('\n').at(-1)!) as { name: string; beginNs: number; endNs: number }[][];
    for (const operations of steps) {
      expect(operations.length).toBeGreaterThan(10);
      const lasting = operations.map(({ beginNs, endNs }) => endNs - beginNs);
      // Dawn stamps the begin ahead of the barrier: as stamped, all but the first would last twice as long.
      expect(lasting.filter((ns) => ns === 1000 * US).length).toBeGreaterThan(operations.length / 2);
      for (const ns of lasting) expect(ns % (1000 * US)).toBe(0);
      const step = operations.at(-1)!.endNs - operations[0].beginNs;
      expect(lasting.reduce((sum, ns) => sum + ns)).toBe(step);
    }
  });
});
