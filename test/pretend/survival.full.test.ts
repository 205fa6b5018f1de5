import { expect, it } from 'vitest';
import { GENERATE, MATRICES_CRASH, oneUser, PROBE } from '../support/pretend-gpu/one-user.js';
import { describePretend } from '../support/pretend-gpu/run.js';

describePretend('a driver that fails in other ways', () => {
  const { run, kept, trying } = oneUser();

  it('is survived when it never comes back', async () => {
    const { code, stderr } = await run({ FAKENV_HANG: 'c', RIDGEPOINT_PROBE: '4' });
    expect(code).toBe(0);
    expect(stderr).toMatch(/matmul_matrix \(the driver did not come back from it\)/);
  });

  it('leaves a trace of the candidate that tuning tried, which the next run leaves out', async () => {
    const tune = ['scripts/ridgepoint.mjs', 'tune', '--kv-dtype', 'f16', '--budget', '1', '--quiet'];
    expect(await run(MATRICES_CRASH, tune)).toMatchObject({ signal: 'SIGSEGV' });
    const { kernel } = trying();
    expect(kernel).toMatch(/MATRIX_M=16/);
    // However that one ends: it may meet the next candidate.
    await run(MATRICES_CRASH, tune);
    expect(kept().findings.map((each) => each.kernel)).toContain(kernel);
  });

  it('is an error that names kernel and driver where everything it computes is wrong', async () => {
    for (const args of [GENERATE, [...GENERATE, '--no-autotune']]) {
      const { code, stdout, stderr } = await run({ ...PROBE, RIDGEPOINT_CHECKS: 'on' }, args);
      expect(code).not.toBe(0);
      expect(stdout).toBe('');
      expect(stderr).toMatch(
        /kernel \S+ \(matmul few f16 .*\) computes wrong numbers on NVIDIA H200 with driver NVIDIA: 580/,
      );
    }
  });
});
