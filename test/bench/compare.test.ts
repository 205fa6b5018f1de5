import { describe, expect, test } from 'vitest';
import { above, compareResult, comparedRecord } from '../../bench/compare/compare.js';
import { joinOperations } from '../../bench/compare/operations.js';
import { kernelSet, predictorFor } from '../../bench/compare/predictor.js';
import { comparisonText } from '../../bench/compare/table.js';
import { plan } from '../../bench/plan.js';
import { runBench } from '../../bench/runner.js';
import type { BenchRecord, BenchResult, OperationsRecord } from '../../bench/schema.js';
import { inCatalogue } from '../../src/roofline/hardware/in-catalogue.js';
import { COMPARE } from '../../src/cli/commands/compare/command.js';
import { priceStep } from '../../src/roofline/predict/predict.js';
import { decodeStep } from '../../src/roofline/predict/decode-line.js';
import { atPace } from '../../src/roofline/hardware/pace.js';
import type { Hardware } from '../../src/roofline/hardware/hardware.js';
import { begun, HARDWARE, measureFake, OPTIONS } from './made-up.js';

const { points } = plan(OPTIONS, { contextLength: 256, kvTokens: 256, sequences: 2 });
const measured = await runBench(begun(), points, measureFake());

const predictor = predictorFor(measured, HARDWARE);

/** The result as it would be if every prediction were off by the same factor. */
function offBy(factor: number, hardware: Hardware = HARDWARE): BenchResult {
  const by = predictorFor(measured, hardware);
  const records = measured.records.map((each): BenchRecord => {
    switch (each.kind) {
      case 'ttft':
        return { ...each, ttfts_ms: [(1000 * by.prefillSeconds(each.n_prompt)) / factor] };
      case 'tpot': {
        const { n_prompt, n_gen, batch } = each;
        const seconds = by.decodeSeconds(n_prompt, n_gen - 1, batch) / (n_gen - 1);
        return { ...each, tpots_ms: [(1000 * seconds) / factor] };
      }
      case 'llama-bench':
        return each;
      case 'operations': {
        const { tokens, context, batch, phase } = each;
        const step =
          phase === 'decode'
            ? decodeStep(context, batch)
            : { sequences: [{ newTokens: tokens, context, prefill: true }], logitRows: 1 };
        const operations = priceStep(by, step).map(({ operation, price }) => ({
          name: operation.name,
          median_ns: 0,
          samples_ns: [(1e9 * price.seconds) / factor],
        }));
        return { ...each, operations };
      }
    }
  });
  return { ...measured, records };
}

describe('the join', () => {
  test('an exact prediction has no error anywhere', () => {
    const { errors, phases } = compareResult(offBy(1), HARDWARE);
    for (const { measure, mape } of errors) if (!['pp', 'tg'].includes(measure)) expect(mape).toBeCloseTo(0, 9);
    for (const { unmatched, operations } of phases) {
      expect(unmatched).toEqual([]);
      expect(operations).toHaveLength(19);
    }
  });

  test('MAPE and worst case are those of the factor', () => {
    const { errors, points: joined } = compareResult(offBy(1.2), HARDWARE);
    expect(errors.find(({ measure }) => measure === 'ttft')).toMatchObject({ points: 2 });
    expect(errors.find(({ measure }) => measure === 'tpot')).toMatchObject({ points: 4 });
    for (const { measure, mape, worst } of errors) {
      if (measure === 'pp' || measure === 'tg') continue;
      expect(mape).toBeCloseTo(0.2, 9);
      expect(worst.error).toBeCloseTo(0.2, 9);
    }
    expect(joined).toHaveLength(10);
  });

  test('a check fails for what is promised only', () => {
    expect(above(compareResult(offBy(1.2), HARDWARE), 0.15).map(({ measure }) => measure)).toEqual(['ttft', 'tpot']);
    expect(above(compareResult(offBy(1.1), HARDWARE), 0.15)).toEqual([]);
  });

  test('a slow host is told apart from a wrong prediction where both sides timed the fixed kernel', () => {
    const ms = { decile: 10, median: 11, fastest: 9 };
    const host = { recordSeconds: 0, roundTripSeconds: 0, launchSeconds: 5e-6, pace: { kernel: 'k', ms } };
    const slow = { ...offBy(0.5), pace: { kernel: 'k', samples_ms: [20, 20, 20] } };
    // A host that costs what is assumed where none is known.
    const comparison = compareResult(slow, { ...HARDWARE, host });
    expect(comparison.paces).toEqual({ compute: 2, memory: 2, launch: 2 });
    for (const { measure, mape, mapeAtPace } of comparison.errors) {
      if (measure !== 'ttft' && measure !== 'tpot') continue;
      expect(mape).toBeCloseTo(0.5, 2);
      expect(mapeAtPace).toBeCloseTo(0, 2);
    }
    expect(comparisonText(comparison)).toContain('took 2.00 times as long as when the adapter was calibrated\n');
    expect(comparisonText(comparison)).toContain("MAPE at the host's pace");
    expect(compareResult(slow, HARDWARE).errors[0]).not.toHaveProperty('mapeAtPace');
  });

  /** Where kernels take so many milliseconds, and work is felt by the first alone. */
  const at = (ms: number) => {
    const felt = { compute: 1, memory: 0, launch: 1 };
    return { ms: { compute: ms, memory: ms, launch: ms }, felt: { prompts: felt, tokens: felt } };
  };

  test('each repetition counts at the pace that the host had just then', () => {
    const kernel = 'k';
    const pace = {
      kernel,
      ms: { decile: 10, median: 10, fastest: 10 },
      broughtTo: at(10),
    };
    // All of a step is work.
    const host = { recordSeconds: 0, roundTripSeconds: 0, launchSeconds: 0, pace };
    const all = [30, 15, 20, 15, 45];
    const paces_ms = { compute: all, memory: all, launch: all };
    const slowed = (samples: readonly number[]) => all.map((ms) => (samples[0] * ms) / 10);
    const exact = offBy(1.1, { ...HARDWARE, host });
    const records = exact.records.map((each): BenchRecord => {
      if (each.kind === 'ttft') return { ...each, paces_ms, ttfts_ms: slowed(each.ttfts_ms) };
      if (each.kind === 'tpot') return { ...each, paces_ms, tpots_ms: slowed(each.tpots_ms) };
      if (each.kind === 'llama-bench') return each;
      const operations = each.operations.map((op) => ({ ...op, samples_ns: slowed(op.samples_ns) }));
      return { ...each, paces_ms, operations };
    });
    const result = { ...exact, records, pace: { kernel, samples_ms: all } };
    const { errors, paces, points: joined, phases } = compareResult(result, { ...HARDWARE, host, sharedMemory: true });
    expect(paces).toEqual({ compute: 2, memory: 2, launch: 2 });
    for (const { measure, mape, mapeAtPace } of errors) {
      if (measure === 'pp' || measure === 'tg') continue;
      expect(mapeAtPace).toBeCloseTo(0.1, 9);
      expect(mape).toBeGreaterThan(0.2);
    }
    const ttft = joined.find(({ measure }) => measure === 'ttft')!;
    expect(ttft.atReferenceMs).toBeCloseTo(ttft.predictedMs / 1.1, 9);
    expect(ttft.errorAtPace).toBeCloseTo(0.1, 9);
    expect(phases[0].kinds[0].errorAtPace).toBeCloseTo(0.1, 9);
    // Of another kernel nothing can be said.
    const other = compareResult({ ...result, pace: { kernel: 'l', samples_ms: all } }, { ...HARDWARE, host });
    expect(other.errors[0]).not.toHaveProperty('mapeAtPace');
  });

  test('what launches and waits take feels the pace of launches, not that of work', () => {
    const pace = { kernel: 'k', ms: { decile: 10, median: 10, fastest: 10 }, broughtTo: at(10) };
    const host = { recordSeconds: 0, roundTripSeconds: 1e-3, launchSeconds: 5e-6, pace };
    const hardware = { ...HARDWARE, host, sharedMemory: true };
    // The machine as it is at a third of its pace: work takes three times as long there, launches as usual beside such work.
    const launch = 3 ** 0.4;
    const slow = offBy(1, atPace(hardware, { compute: 3, memory: 3, launch }));
    const records = slow.records.map((each): BenchRecord => ({
      ...each,
      paces_ms: { compute: [30], memory: [10], launch: [10 * launch] },
    }));
    const { errors } = compareResult({ ...slow, records, pace: { kernel: 'k', samples_ms: [30] } }, hardware);
    for (const { measure, mape, mapeAtPace } of errors) {
      if (measure === 'pp' || measure === 'tg') continue;
      expect(mapeAtPace).toBeCloseTo(0, 9);
      expect(mape).toBeGreaterThan(0.01);
      expect(mape).toBeLessThan(0.6);
    }
  });

  test('of a software driver the pace of multiply-adds alone counts, and all are said', () => {
    const of = (median: number) => ({ decile: median, median, fastest: median });
    const part = (kernel: string) => ({ kernel, ms: of(10) });
    const pace = { ...part('k'), memory: part('m'), launch: part('l') };
    const host = { recordSeconds: 0, roundTripSeconds: 0, launchSeconds: 5e-6, pace };
    const taken = (kernel: string, ms: number) => ({ kernel, samples_ms: [ms] });
    const slow = { ...offBy(0.5), pace: { ...taken('k', 20), memory: taken('m', 30), launch: taken('l', 5) } };
    const paced = (sharedMemory: boolean) => compareResult(slow, { ...HARDWARE, host, sharedMemory });
    expect(paced(true).paces).toEqual({ compute: 2, memory: 3, launch: 0.5 });
    const ttft = ({ errors }: ReturnType<typeof paced>) =>
      errors.find(({ measure }) => measure === 'ttft')!.mapeAtPace!;
    expect(ttft(paced(true))).toBeCloseTo(0, 2);
    expect(ttft(paced(false))).toBeGreaterThan(0.1);
  });

  test('says what binds: bytes of weights in a large matrix, launching in a small one', () => {
    const slow = { ...HARDWARE, bandwidth: 1e6 };
    expect(compareResult(measured, slow).points.every(({ bound }) => bound === 'memory')).toBe(true);
    const weak = { ...HARDWARE, shader: { f32: 1e6, f16: 1e6 } };
    expect(compareResult(measured, weak).points.every(({ bound }) => bound === 'compute')).toBe(true);
    const fast = { ...HARDWARE, bandwidth: 1e18, shader: { f32: 1e18, f16: 1e18 } };
    expect(compareResult(measured, fast).points.every(({ bound }) => bound === 'launch')).toBe(true);
  });

  test('names that only one side knows are told', () => {
    const profile = measured.records.find((each): each is OperationsRecord => each.kind === 'operations')!;
    const [first, ...others] = profile.operations;
    const drifted = { ...profile, operations: [{ ...first, name: 'embedding' }, ...others] };
    expect(joinOperations(drifted, predictor).unmatched).toEqual(['embedding', 'embed']);
  });

  test('the fastest sample can stand for all, where cores are shared', () => {
    const records = measured.records.map((each) => (each.kind === 'ttft' ? { ...each, ttfts_ms: [9, 5, 7] } : each));
    const { points: joined, statistic } = compareResult({ ...measured, records }, HARDWARE, 'fastest');
    expect(statistic).toBe('fastest');
    expect(joined.find(({ measure }) => measure === 'ttft')!.measuredMs).toBe(5);
  });

  test('the lower decile stands for all by default', () => {
    const ttfts_ms = Array.from({ length: 11 }, (_, at) => 20 - at);
    const records = measured.records.map((each) => (each.kind === 'ttft' ? { ...each, ttfts_ms } : each));
    const { points: joined } = compareResult({ ...measured, records }, HARDWARE);
    expect(joined.find(({ measure }) => measure === 'ttft')!.measuredMs).toBe(11);
  });

  test('an operation timed by itself pays for its pass on a machine that was calibrated so', () => {
    const host = { recordSeconds: 0, roundTripSeconds: 0, launchSeconds: 5e-6, profiledSeconds: 1e-3 };
    const slow = compareResult(measured, { ...HARDWARE, host }).phases[0].operations[0].predictedMs;
    expect(slow - compareResult(measured, HARDWARE).phases[0].operations[0].predictedMs).toBeCloseTo(1, 9);
  });

  test('the roof on a data sheet is that of the kernels that ran, unless one is asked for', () => {
    expect(kernelSet(HARDWARE, ['tiled'])).toBe('shader');
    expect(kernelSet(HARDWARE, ['subgroup-matrix'])).toBe('tensor');
    expect(kernelSet({ ...HARDWARE, kind: 'measured' }, ['tiled'])).toBeUndefined();
    expect(predictorFor(measured, HARDWARE, 'tensor').pricer.peak.rate).toBe(1e12);
  });

  test('layers are added up by kind', () => {
    const profile = measured.records.find((each): each is OperationsRecord => each.kind === 'operations')!;
    const { kinds, measuredMs } = joinOperations(profile, predictor);
    expect(kinds.find(({ name }) => name === 'gate_up')).toMatchObject({ launches: 2, measuredMs: 0.002 });
    expect(kinds).toHaveLength(11);
    expect(measuredMs).toBeCloseTo(0.019, 12);
  });
});

test('a result without records compares as empty', () => {
  const empty = compareResult(begun(), HARDWARE);
  expect(empty.errors).toEqual([]);
  expect(comparisonText(empty)).toContain('The measurement is incomplete.');
});

test('the text has the error, the points, the phases and their operations', () => {
  expect(comparisonText(compareResult(measured, HARDWARE)).match(/^## .*/gm)).toEqual([
    '## Error of the prediction',
    '## Sweep points',
    '## Phases: GPU time of one step',
    '## Operations of a prefill of 8 tokens',
    '## Operations of a prefill of 32 tokens',
    '## Operations of a decode step of 1 sequence after 16 tokens',
    '## Operations of a decode step of 2 sequences after 16 tokens',
  ]);
});

test('the JSON carries points, phases and errors', () => {
  const json = JSON.parse(JSON.stringify(comparedRecord(compareResult(measured, HARDWARE)))) as Record<
    string,
    unknown[]
  >;
  expect(json.points).toHaveLength(10);
  expect(json.phases).toHaveLength(4);
  expect(json.hardware).toMatchObject({ id: 'made-up' });
});

test('formats that cannot be predicted are refused', () => {
  const context = { ...begun().context, dtype: 'q3' };
  expect(() => predictorFor(begun({ context }), HARDWARE)).toThrow('dtype "q3"');
});

test('adapters are found in the catalogue by their names', () => {
  expect(inCatalogue('NVIDIA H200')?.id).toBe('h200');
  expect(inCatalogue('NVIDIA GeForce RTX 4090')?.id).toBe('rtx-4090');
  expect(inCatalogue('NVIDIA A100-SXM4-80GB')?.id).toBe('a100-80');
  expect(inCatalogue('llvmpipe (LLVM 15.0.6, 256 bits)')).toBeUndefined();
});

test('a limit is a percentage with or without its sign', () => {
  const { kind } = COMPARE.output.failAbove;
  expect(['15%', '15', 'much'].map((text) => kind.read(text, undefined))).toEqual([0.15, 0.15, undefined]);
});
