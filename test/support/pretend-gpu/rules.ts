import { expect } from 'vitest';
import { byShader, hotLoops, type Sweep, type SweptPipeline } from './sweep.js';
import { loopsOf } from './loops.js';
import { Capability } from './spirv.js';

/** Shaders that still declare cooperative matrices and subgroup arithmetic together. */
const BOTH_STILL: string[] = [];

/** The binding of a matmul's weights, in all its shaders. */
const WEIGHTS = 3;
/** Those of keys and values, in all shaders of attention. */
const CACHE = [5, 6];

const isBoth = ({ module }: SweptPipeline): boolean =>
  module.capabilities.has(Capability.cooperativeMatrix) && module.capabilities.has(Capability.groupArithmetic);

/** What every pipeline for a GPU keeps to. */
export const rules = {
  compiles: ({ failed }: Sweep) => expect(failed).toEqual([]),

  /** Some NVIDIA drivers crash on a shader that declares both. */
  noArithmeticBesideMatrices: ({ pipelines }: Sweep) =>
    expect(byShader(pipelines.filter((each) => isBoth(each) && !BOTH_STILL.includes(each.shader)))).toEqual({}),

  noGuardedHotLoop: ({ pipelines }: Sweep) => {
    const guarded = pipelines.filter((each) => hotLoops(each).some((loop) => loop.guarded));
    expect(byShader(guarded)).toEqual({});
  },

  /** Decode attention has several keys and values of 16 bytes under way, of int8 8 bytes, and waits for nobody. */
  wideCache: ({ pipelines }: Sweep) => {
    const rows = pipelines.filter(({ shader }) => shader === 'attention/attention_rows.wgsl');
    expect(rows.length).toBeGreaterThan(2);
    for (const { label, name, module } of rows) {
      const reads = loopsOf(module).filter(({ loads }) => loads.some(({ binding }) => CACHE.includes(binding)));
      expect(reads.length, label).toBe(1);
      const [{ loads, barriers, innermost, guarded }] = reads;
      expect({ barriers, innermost, guarded }, label).toEqual({ barriers: 0, innermost: true, guarded: false });
      const wide = loads.filter(({ binding, bytes }) => CACHE.includes(binding) && bytes >= 8);
      expect(wide.length, label).toBeGreaterThanOrEqual(8);
      if (!name.includes('kv_int8'))
        expect(
          wide.every(({ bytes }) => bytes === 16),
          label,
        ).toBe(true);
    }
  },

  /** A thread reads 16 bytes of unquantised weights at a time, and never less than 4 of quantised ones. */
  wideWeights: ({ pipelines }: Sweep) => {
    const widths = pipelines
      .filter(({ label }) => label.startsWith('matmul'))
      .flatMap((pipeline) => {
        const least = /\b(f16|bf16|f32)\b/.test(pipeline.label.split(' ')[2]) ? 16 : 4;
        const loads = hotLoops(pipeline).flatMap((loop) => loop.loads.filter(({ binding }) => binding === WEIGHTS));
        return loads.map(({ bytes }) => ({ pipeline, bytes, least }));
      });
    expect(new Set(widths.map(({ pipeline }) => pipeline.shader)).size).toBeGreaterThan(3);
    expect(byShader(widths.filter(({ bytes, least }) => bytes < least).map(({ pipeline }) => pipeline))).toEqual({});
  },
};
