import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RidgepointError } from '../../../errors.js';
import { option, words } from '../../../wording.js';
import type { Gpu as GpuDevice } from '../../../gpu/gpu.js';
import type { Calibration } from '../../../roofline/hardware/calibration.js';
import {
  SERVING_KINDS,
  SPREAD_SHARES,
  STEP_KINDS,
  type ServingKind,
  type StepKind,
} from '../../../roofline/hardware/families.js';
import { calibrationFolder } from '../../../platform/node/calibration-folder.js';
import { nodeHost } from '../../../platform/node/host.js';
import type { CalibrateFlags } from './command.js';
import { EXIT } from '../../run.js';
import { dim } from '../../terminal/style.js';
import { print, status, tell } from '../../terminal/output.js';

/**
 * Measures the adapter's ceilings and the engine's kernels, and keeps the result for predictions.
 *
 * @param version of Ridgepoint, for the record
 * @returns the exit code
 */
export async function calibrateCommand(flags: CalibrateFlags, version: string): Promise<number> {
  if (flags.matricesFrom !== undefined) return matrices(flags.adapter, flags.matricesFrom);
  if (flags.serving && flags.ceilingsOnly) {
    throw new RidgepointError(
      'usage',
      words`${option('calibrate.serving')} needs what ${option('calibrate.ceilingsOnly')} leaves out; leave one of them away`,
    );
  }
  const { calibrate } = await import('../../../../bench/calibrate/calibrate.js');
  const { surveyInProcesses } = await import('../../../../bench/calibrate/matrix-processes.js');
  const { saveCalibration, writeCalibration } = await import('../../../platform/node/calibration-store.js');
  const { checkWritable } = await import('../../../platform/node/whole-file.js');
  await checkWritable(flags.output ?? join(calibrationFolder(), 'calibration.json'));
  const tty = process.stderr.isTTY && !flags.json;
  const adapter = flags.adapter === undefined ? [] : ['--adapter', flags.adapter];
  const keep = async (calibration: Calibration): Promise<string> => {
    if (flags.output === undefined) return saveCalibration(calibration);
    await writeCalibration(flags.output, calibration);
    return flags.output;
  };
  const onProgress = (what: string): void => {
    if (tty) status(`measuring ${what}`);
  };
  const earlier = flags.serving ? await earlierOf(flags) : undefined;
  const measure = () =>
    calibrate(nodeHost, version, {
      adapter: flags.adapter,
      ceilingsOnly: flags.ceilingsOnly,
      onProgress,
      onSkipped: (what) => {
        if (tty) status();
        tell(`ridgepoint: not measured: ${what}\n`);
      },
      onMeasured: async (sofar) => void (await keep(sofar)),
      survey: surveyInProcesses((from) => [process.argv[1], 'calibrate', ...adapter, '--matrices-from', `${from}`]),
    });
  let calibration = earlier ?? (await measure());
  if (flags.serving) {
    const { calibrateServing } = await import('../../../../bench/calibrate/serving.js');
    calibration = await calibrateServing(nodeHost, calibration, { onProgress });
  }
  if (tty) status();
  const path = await keep(calibration);
  print(flags.json ? `${JSON.stringify(calibration)}\n` : report(calibration, path));
  return EXIT.ok;
}

/** What was measured of this adapter and driver before, in the file that is written to. */
async function earlierOf({ adapter, output }: CalibrateFlags): Promise<Calibration | undefined> {
  const { listCalibrations, readCalibration } = await import('../../../platform/node/calibration-store.js');
  const { Gpu } = await import('../../../gpu/gpu.js');
  const source = await nodeHost.openGpu(adapter);
  await (await Gpu.open(source)).dispose();
  const known =
    output === undefined
      ? (await listCalibrations()).map(({ calibration }) => calibration)
      : existsSync(output)
        ? [await readCalibration(output)]
        : [];
  return known.find((each) => each.adapter === source.name && each.driver === source.driver);
}

/** What a process does that measures matrix configurations for another. */
async function matrices(adapter: string | undefined, from: number): Promise<number> {
  const { surveyMatrices } = await import('../../../../bench/calibrate/subgroup-matrix.js');
  const { Gpu } = await import('../../../gpu/gpu.js');
  const open = async (): Promise<GpuDevice> => Gpu.open(await nodeHost.openGpu(adapter));
  const first = await open();
  const configs = first.capabilities.subgroupMatrixConfigs;
  await first.dispose();
  await surveyMatrices(open, configs, from, (news) => print(`${JSON.stringify(news)}\n`));
  return EXIT.ok;
}

const UNITS: readonly [number, string][] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
];

function rate(value: number, unit: string): string {
  const [factor, prefix] = UNITS.find(([size]) => value >= size) ?? [1, ''];
  return `${(value / factor).toPrecision(3)} ${prefix}${unit}`;
}

function time(seconds: number): string {
  return seconds >= 1e-3 ? `${(seconds * 1e3).toPrecision(3)} ms` : `${(seconds * 1e6).toPrecision(3)} us`;
}

/** What steps take beside their operations, in words. */
const STEPS: Record<StepKind, string> = {
  first: 'first token of a request',
  next: 'decode step of running requests',
  alone: 'single awaited step',
};

const SERVING: Record<ServingKind, string> = { decode: 'step of rows alone', prompts: 'step with prompts' };

function report(calibration: Calibration, path: string): string {
  const { adapter, driver, ceilings, efficiencies, steps = {}, serving = {}, profiledSeconds, spread } = calibration;
  const noise = (name: string): string => {
    const value = spread[name];
    return value === undefined ? '' : dim(`  +-${(50 * value).toFixed(0)} %`);
  };
  const rows: [string, string, string][] = [
    ['memory read', rate(ceilings.readBytesPerSecond, 'B/s'), 'readBytesPerSecond'],
    ['memory copy (read + written)', rate(ceilings.copyBytesPerSecond, 'B/s'), 'copyBytesPerSecond'],
    ['f32 multiply-add', rate(ceilings.f32FlopsPerSecond, 'FLOP/s'), 'f32FlopsPerSecond'],
  ];
  if (ceilings.f16FlopsPerSecond !== undefined) {
    rows.push(['f16 multiply-add', rate(ceilings.f16FlopsPerSecond, 'FLOP/s'), 'f16FlopsPerSecond']);
  }
  for (const { componentType, resultComponentType, M, N, K, flopsPerSecond } of ceilings.subgroupMatrix) {
    const name = `${componentType} to ${resultComponentType} ${M}x${N}x${K}`;
    rows.push([`matrix ${name}`, rate(flopsPerSecond, 'FLOP/s'), `subgroupMatrix ${name}`]);
  }
  rows.push(
    ['launch on the GPU', time(ceilings.dispatchSeconds), 'dispatchSeconds'],
    ['recording a launch', time(ceilings.recordSeconds), 'recordSeconds'],
    ['submit to readback', time(ceilings.roundTripSeconds), 'roundTripSeconds'],
  );
  if (profiledSeconds !== undefined) rows.push(['timing an operation', time(profiledSeconds), 'profiledSeconds']);
  const lines = [adapter, driver, ''];
  for (const [label, value, name] of rows) lines.push(`  ${label.padEnd(30)} ${value.padStart(13)}${noise(name)}`);
  const families = Object.entries(efficiencies);
  if (families.length > 0) {
    lines.push('', "The engine's kernels, as shares of f32 multiply-add and of memory read:");
    lines.push(
      `  ${'family'.padEnd(20)} ${'compute'.padStart(8)} ${'memory'.padStart(8)} ${'overlap'.padStart(8)}   launch`,
    );
    for (const [family, { compute, bandwidth, overlap, launchSeconds }] of families) {
      const share = (value: number): string => `${(100 * value).toPrecision(3)} %`.padStart(8);
      lines.push(
        `  ${family.padEnd(20)} ${share(compute)} ${share(bandwidth)} ${overlap.toPrecision(2).padStart(8)}   ${time(launchSeconds)}`,
      );
    }
  }
  const kinds = STEP_KINDS.filter((kind) => steps[kind] !== undefined);
  if (kinds.length > 0) lines.push('', 'Whole steps, beside the GPU time of their operations:');
  for (const kind of kinds) {
    const { stretch, seconds, rowSeconds } = steps[kind]!;
    const row = rowSeconds > 0 ? ` + ${time(rowSeconds)} a sequence` : '';
    lines.push(`  ${STEPS[kind].padEnd(32)} x ${stretch.toPrecision(3)} + ${time(seconds)}${row}`);
  }
  const served = SERVING_KINDS.filter((kind) => serving[kind] !== undefined);
  if (served.length > 0) lines.push('', 'Steps while requests come and go, and the factor that one in ten passes:');
  for (const kind of served) {
    const { stretch, seconds, rowSeconds, spread: factors } = serving[kind]!;
    const row = rowSeconds > 0 ? ` + ${time(rowSeconds)} a sequence` : '';
    const late = factors[SPREAD_SHARES.indexOf(0.9)].toPrecision(3);
    lines.push(
      `  ${SERVING[kind].padEnd(32)} x ${stretch.toPrecision(3)} + ${time(seconds)}${row}, x ${late} (${calibration.servingSteps?.[kind] ?? '?'} steps)`,
    );
  }
  return `${lines.join('\n')}\n\nKept in ${path}\n`;
}
