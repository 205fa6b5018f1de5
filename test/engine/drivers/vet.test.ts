import { describe, expect, it } from 'vitest';
import {
  remarkOn,
  UNKNOWN_DRIVER,
  withheldBy,
  type DriverRecord,
  type Finding,
} from '../../../src/engine/drivers/record.js';
import { vet, type TrialOutcome, type Vetting } from '../../../src/engine/drivers/vet.js';

const MATRIX = ['matrix(MATRIX_M=16,subgroups)', 'matrix(MATRIX_M=8,subgroups)'];
const PLAIN = 'vec(R=4,subgroups)';
const LAST = 'vec(R=4)';

/** A driver on paper: tries kernels in order until one of those it crashes on. */
class PaperDriver implements Vetting {
  readonly adapter = 'H200';
  readonly driver = '580';
  readonly tried: string[][] = [];
  readonly saved: DriverRecord[] = [];
  /** Kernels tried, given what is withheld; undefined where no variant is left. */
  readonly #kernels: (withheld: ReturnType<typeof withheldBy>) => string[] | undefined;
  readonly #crashes: (kernel: string) => boolean;
  readonly #end: TrialOutcome;

  constructor(
    kernels: (withheld: ReturnType<typeof withheldBy>) => string[] | undefined,
    crashes: (kernel: string) => boolean,
    end: TrialOutcome = { ended: 'well', findings: [] },
  ) {
    this.#kernels = kernels;
    this.#crashes = crashes;
    this.#end = end;
  }
  run(findings: readonly Finding[]): Promise<TrialOutcome> {
    const kernels = this.#kernels(withheldBy(findings));
    if (kernels === undefined) {
      return Promise.resolve({ ended: 'refused', why: 'this adapter can run no variant', lacksVariant: true });
    }
    this.tried.push(kernels);
    const bad = kernels.find(this.#crashes);
    return Promise.resolve(bad === undefined ? this.#end : { ended: 'badly', how: 'it crashed', trying: [bad] });
  }
  save(record: DriverRecord): Promise<void> {
    this.saved.push(record);
    return Promise.resolve();
  }
}

/** Attention on matrices in two variants, and products that can do without subgroups. */
const usual = ({ excluded, disabled }: ReturnType<typeof withheldBy>): string[] | undefined => {
  const allowed = (kernel: string): boolean =>
    !excluded.includes(kernel) && !excluded.includes(kernel.replace(/\(.*/, '.wgsl'));
  const attention = disabled.includes('subgroup-matrix') ? [] : MATRIX.filter(allowed).slice(0, 1);
  // What is fused has another name than the variant, so excluding it by name changes nothing.
  const products = disabled.includes('subgroups') ? LAST : PLAIN;
  return excluded.includes('vec.wgsl') ? undefined : [...attention, products];
};

describe('vetting a driver', () => {
  it('is one trial where all goes well, and is written down', async () => {
    const driver = new PaperDriver(usual, () => false);
    expect(await vet(driver, 'model', UNKNOWN_DRIVER)).toEqual({ findings: [], tried: ['model'] });
    expect(driver.tried).toEqual([[MATRIX[0], PLAIN]]);
    expect(driver.saved).toHaveLength(1);
  });

  it('leaves out a pipeline that ends the process, and its shader when a second one does', async () => {
    const one = new PaperDriver(usual, (kernel) => kernel === MATRIX[0]);
    expect((await vet(one, 'model', UNKNOWN_DRIVER))!.findings).toEqual([{ kernel: MATRIX[0], why: 'it crashed' }]);
    expect(one.tried.at(-1)).toEqual([MATRIX[1], PLAIN]);
    const both = new PaperDriver(usual, (kernel) => kernel.startsWith('matrix'));
    expect((await vet(both, 'model', UNKNOWN_DRIVER))!.findings).toEqual([
      { kernel: 'matrix.wgsl', why: 'it crashed' },
    ]);
    expect(both.tried).toEqual([[MATRIX[0], PLAIN], [MATRIX[1], PLAIN], [PLAIN]]);
  });

  it('keeps what it found after each trial, and takes up what was known', async () => {
    const driver = new PaperDriver(usual, (kernel) => kernel.startsWith('matrix'));
    await vet(driver, 'model', { findings: [{ kernel: MATRIX[0], why: 'it crashed' }], tried: ['other'] });
    expect(driver.saved.map(({ findings, tried }) => [findings.length, tried])).toEqual([
      [1, ['other']],
      [1, ['other', 'model']],
    ]);
  });

  it('masks what a kernel stands on where no other variant takes its place', async () => {
    const driver = new PaperDriver(usual, (kernel) => kernel === PLAIN);
    const { findings } = (await vet(driver, 'model', UNKNOWN_DRIVER))!;
    expect(withheldBy(findings)).toEqual({ disabled: ['subgroups'], excluded: [] });
    expect(driver.tried.at(-1)).toContain(LAST);
  });

  it('ends with kernel and driver where nothing is left', async () => {
    const driver = new PaperDriver(usual, (kernel) => kernel.startsWith('vec'));
    await expect(vet(driver, 'model', UNKNOWN_DRIVER)).rejects.toThrow(
      /kernel vec\(R=4\) cannot be used on H200 with driver 580 \(it crashed\)/,
    );
  });

  it('says nothing of a driver where it could not be tried', async () => {
    const refused = new PaperDriver(usual, () => false, { ended: 'refused', why: 'no memory', lacksVariant: false });
    expect(await vet(refused, 'model', UNKNOWN_DRIVER)).toBeUndefined();
    const early = new PaperDriver(usual, () => false, { ended: 'badly', how: 'SIGKILL', trying: [] });
    expect(await vet(early, 'model', UNKNOWN_DRIVER)).toBeUndefined();
    expect(early.saved).toEqual([]);
  });

  it('passes on that all variants are wrong', async () => {
    const why = 'kernel vec computes wrong numbers on H200 with driver 580';
    const driver = new PaperDriver(usual, () => false, { ended: 'hopeless', why });
    await expect(vet(driver, 'model', UNKNOWN_DRIVER)).rejects.toThrow(why);
  });

  it('is told in one line', () => {
    expect(remarkOn('580', [])).toBeUndefined();
    const line = remarkOn('580', [
      { kernel: 'attention_matrix.wgsl', why: 'it crashed' },
      { kernel: 'matmul_vec(R=4)', why: 'wrong results' },
      { mask: 'f16', why: 'it crashed' },
    ]);
    expect(line).toMatch(/580: attention_matrix \(it crashed\), matmul_vec \(wrong results\), f16 \(it crashed\)/);
    expect(line).not.toContain('\n');
  });
});
