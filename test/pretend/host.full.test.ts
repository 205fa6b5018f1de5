import { expect, it } from 'vitest';
import { join } from 'node:path';
import { root } from '../platform/child.js';
import { describePretend, runPretended } from '../support/pretend-gpu/run.js';

const TOKENS = 500;
/** Makes a step of this model's 113 launches as long as one of Llama-2-7B’s 163 at 24 us. */
const LAUNCH_US = 34;

interface HostCost {
  readonly tokens: number;
  readonly tpotMs: number;
  readonly cpuMs: number;
  readonly looksPerToken: number;
  readonly collections: readonly { readonly kind: string; readonly ms: number }[];
}

/**
 * With three steps under way the GPU waits for nobody as long as the host makes a step faster than the GPU runs one. How
 * long that took by the clock is what else the machine did, so the test counts: processor time, looks, collections. By
 * the clock, on a machine with nothing else to do, the GPU's waiting is below 3 % of a token.
 */
describePretend("the host's part of decoding", () => {
  it('keeps a GPU busy at 24 us a launch: little processor time, few looks, no large collection in 500 tokens', async () => {
    const script = join(root, 'test', 'support', 'pretend-gpu', 'host-cost.mjs');
    const { code, stdout, submissions } = await runPretended([script, 'tinyllama-1.1b', '3', String(TOKENS)], {
      launchUs: LAUNCH_US,
      trace: true,
    });
    expect(code).toBe(0);
    const { tokens, cpuMs, looksPerToken, collections } = JSON.parse(stdout) as HostCost;
    expect(tokens).toBe(TOKENS);
    const launches = submissions.at(-2)!.dispatches.length || submissions.at(-1)!.dispatches.length;
    expect(launches).toBeGreaterThan(80);
    const gpuMs = (launches * LAUNCH_US) / 1000;
    // 0.35 to 0.45 of the GPU's time where seen, Dawn's and the driver's threads included.
    expect(cpuMs / gpuMs, stdout).toBeLessThan(0.9);
    // One a millisecond, as paced; a look at every turn of the event loop would be hundreds.
    expect(looksPerToken, stdout).toBeLessThan(2 * gpuMs + 4);
    // A look leaves garbage behind. Those of the new space take a millisecond; the large ones took up to 36.
    expect(collections.filter(({ kind }) => kind === 'major')).toEqual([]);
    expect(collections.length, stdout).toBeLessThan(10);
  });
});
