import { expect, it } from 'vitest';
import { calibrate } from '../../bench/calibrate/calibrate.js';
import { calibrateServing } from '../../bench/calibrate/serving.js';
import { nodeHost } from '../../src/platform/node/host.js';

// What it measures depends on the machine's other work, so no test waits for that: fitting is tested on made-up steps
// (serving.test.ts), and that an engine tells of its steps in test/engine/steps-seen.test.ts.
it('says what it lacks', async () => {
  const ceilings = await calibrate(nodeHost, 'test', { adapter: 'swiftshader', ceilingsOnly: true });
  await expect(calibrateServing(nodeHost, ceilings)).rejects.toThrow(/--ceilings-only/);
});
