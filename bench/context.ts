import type { EngineInfo } from '../src/engine/api.js';
import { withheldIn } from '../src/gpu/capabilities.js';
import type { Calibration } from '../src/roofline/hardware/calibration.js';
import type { BenchResult, RecordContext } from './schema.js';

/** What of a record's context the engine does not know: the program that runs it. */
export type Surroundings = Pick<RecordContext, 'ridgepoint' | 'runtime' | 'dawn' | 'git_commit' | 'calibration'>;

/** What every record says about where it was measured. */
export function contextOf(info: EngineInfo, around: Surroundings): RecordContext {
  const { adapter, driver, tier, model, dtype, headDtype, activations, kvDtype } = info;
  return {
    ...{ adapter, driver, tier, model, dtype },
    head_dtype: headDtype,
    ...(activations === 'f32' ? {} : { activations }),
    kv_dtype: kvDtype,
    ...withheldIn(info),
    ...around,
  };
}

/** What a result was measured in, for readers: `node 20.20.2, webgpu 0.6.2`, `Chrome 156`. */
export function runtimeOf({ runtime, node, dawn }: Pick<RecordContext, 'runtime' | 'node' | 'dawn'>): string {
  const program = runtime ?? (node === undefined ? 'an unknown runtime' : `node ${node}`);
  return dawn === undefined ? program : `${program}, ${dawn}`;
}

/** The ceilings of a calibration as a result carries them. */
export const ceilingsOf = ({ ceilings }: Pick<Calibration, 'ceilings'>): NonNullable<BenchResult['ceilings']> => ({
  read_bytes_per_second: ceilings.readBytesPerSecond,
  f32_flops_per_second: ceilings.f32FlopsPerSecond,
  ...(ceilings.f16FlopsPerSecond === undefined ? {} : { f16_flops_per_second: ceilings.f16FlopsPerSecond }),
});
