import type { Gpu } from '../../src/gpu/gpu.js';
import { Stopwatch } from '../../src/gpu/stopwatch.js';
import type { Calibration } from '../../src/roofline/hardware/calibration.js';
import { dotCeilings, fmaCeilings, launchCosts, memoryCeilings, rates, type Ceiling } from './ceilings.js';

/** What the calibration says of a machine without its matrix units. */
export type MeasuredMachine = Pick<Calibration, 'ceilings' | 'spread' | 'profiledSeconds'>;

export interface HostOptions {
  readonly onProgress?: (what: string) => void;
  readonly onSkipped?: (what: string) => void;
}

/** Launches, memory and arithmetic of the shader cores, in rounds over all of them. */
export async function measureMachine(gpu: Gpu, { onProgress, onSkipped }: HostOptions): Promise<MeasuredMachine> {
  const clock = new Stopwatch(gpu);
  try {
    onProgress?.('launches');
    const spread: Record<string, number> = {};
    const { profiledSeconds, ...launches } = await launchCosts(gpu, clock, spread);
    onProgress?.('how long launches must be to be timed');
    // What every adapter must have ends the calibration where it cannot be had; the rest is left out.
    const optional = async (what: string, measure: () => Promise<Ceiling[]>): Promise<Ceiling[]> => {
      try {
        const ceilings = await measure();
        gpu.check();
        return ceilings;
      } catch (error) {
        if (gpu.lost) throw error;
        onSkipped?.(`${what}: ${(error as Error).message}`);
        return [];
      }
    };
    const found = await rates(
      [
        ...(await memoryCeilings(gpu, clock)),
        ...(await fmaCeilings(gpu, clock, 'f32')),
        ...(await optional('f16 multiply-adds', () => fmaCeilings(gpu, clock, 'f16'))),
        ...(await optional('packed dot products', () => dotCeilings(gpu, clock))),
      ],
      onProgress,
    );
    for (const [figure, each] of found) spread[figure] = each.spread;
    const rate = (figure: string): number => found.get(figure)!.rate;
    return {
      ceilings: {
        readBytesPerSecond: rate('readBytesPerSecond'),
        copyBytesPerSecond: rate('copyBytesPerSecond'),
        f32FlopsPerSecond: rate('f32FlopsPerSecond'),
        ...(found.has('f16FlopsPerSecond') ? { f16FlopsPerSecond: rate('f16FlopsPerSecond') } : {}),
        ...(found.has('int8OpsPerSecond') ? { int8OpsPerSecond: rate('int8OpsPerSecond') } : {}),
        subgroupMatrix: [],
        ...launches,
      },
      spread,
      ...(profiledSeconds === undefined ? {} : { profiledSeconds }),
    };
  } finally {
    clock.destroy();
  }
}
