import { expect, it } from 'vitest';
import { GENERATE, MATRICES_CRASH, oneUser, PROBE } from '../support/pretend-gpu/one-user.js';
import { describePretend } from '../support/pretend-gpu/run.js';

describePretend('a driver that crashes on a kernel', () => {
  const { run, kept } = oneUser();

  it('ends a process that trusts it, and none that masks what it crashes on', async () => {
    expect(await run(MATRICES_CRASH)).toMatchObject({ code: null, signal: 'SIGSEGV' });
    const masked = await run({ ...MATRICES_CRASH, RIDGEPOINT_DISABLE: 'subgroup-matrix' }, [...GENERATE, '--json']);
    expect(masked).toMatchObject({ code: 0 });
    expect(JSON.parse(masked.stdout)).toMatchObject({ tier: 'f16+subgroups', disabled: ['subgroup-matrix'] });
  });

  it('is survived: what crashed is left out, said in one line, and remembered', async () => {
    const first = await run({ ...MATRICES_CRASH, ...PROBE });
    expect(first).toMatchObject({ code: 0, signal: null });
    const said = first.stderr.split('\n').filter((line) => line.includes('Left out because of the driver'));
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/NVIDIA: 580\.159\.04.*matmul_matrix.*crashed/);
    const known = kept();
    expect(known.tried).toHaveLength(1);
    expect(known.findings.map(({ kernel }) => kernel)).toContain('matmul_matrix.wgsl');
    expect(known.findings.every(({ mask }) => mask === undefined)).toBe(true);

    // The next load tries nothing, and says it again.
    const second = await run({ ...MATRICES_CRASH, ...PROBE }, [...GENERATE, '--json']);
    expect(second).toMatchObject({ code: 0 });
    expect(JSON.parse(second.stdout)).toMatchObject({
      tier: 'tensor',
      excluded: known.findings.map((each) => each.kernel),
    });
    expect(kept()).toEqual(known);
  });
});
