import type { Engine } from '../platform/browser/index.js';
import type { Calibration } from '../roofline/hardware/calibration.js';
import { CATALOGUE, hardwareById } from '../roofline/hardware/catalogue.js';
import { fromCalibration, type Hardware } from '../roofline/hardware/hardware.js';
import { familyModel } from '../roofline/models/models.js';
import { predictWith, type Prediction } from '../roofline/predict/predict.js';
import { Predictor } from '../roofline/predict/predictor.js';
import { readConfig } from '../model/read-config.js';
import { boundOf, loadedPredictor } from './expectation.js';
import { element, megabytes, parts } from './page.js';
import { table } from './table.js';
import { rooflineFigure, type FigurePoint, type FigureRoof } from './roofline-figure.js';

/** The request that a loaded model and the presets are judged by. */
const USUAL = { promptTokens: 512, outputTokens: 128 };
const DTYPES = ['f16', 'int8-g32', 'int4-g32'] as const;
/** Presets of more bytes are no models for one GPU in a browser; slower ones run, but nobody would wait. */
const MOST_BYTES = 48e9;
const MOST_SECONDS = 2;

const rate = (value: number, unit: string): string => {
  const [factor, prefix] = value >= 1e12 ? [1e12, 'T'] : value >= 1e9 ? [1e9, 'G'] : [1e6, 'M'];
  return `${(value / factor).toPrecision(3)} ${prefix}${unit}`;
};

/** Units of time, the longest first. */
const TIMES = [
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
  [1e-3, 'ms'],
  [1e-6, 'µs'],
] as const;
function time(seconds: number | undefined): string {
  if (seconds === undefined) return '–';
  const [factor, unit] = TIMES.find(([each]) => seconds >= each) ?? TIMES[TIMES.length - 1];
  return `${(seconds / factor).toPrecision(3)} ${unit}`;
}

function ceilingsTable({ ceilings, spread }: Calibration): HTMLElement {
  const noise = (name: string): string => {
    const value = spread[name] as number | undefined;
    return value === undefined ? '' : `± ${(50 * value).toFixed(0)} %`;
  };
  const figures: [string, number | undefined, (value: number) => string, string][] = [
    ['Memory, read', ceilings.readBytesPerSecond, (value) => rate(value, 'B/s'), 'readBytesPerSecond'],
    ['Memory, read and written', ceilings.copyBytesPerSecond, (value) => rate(value, 'B/s'), 'copyBytesPerSecond'],
    ['Multiply-adds in f32', ceilings.f32FlopsPerSecond, (value) => rate(value, 'FLOP/s'), 'f32FlopsPerSecond'],
    ['Multiply-adds in f16', ceilings.f16FlopsPerSecond, (value) => rate(value, 'FLOP/s'), 'f16FlopsPerSecond'],
    ['Packed products of 8 bits', ceilings.int8OpsPerSecond, (value) => rate(value, 'OP/s'), 'int8OpsPerSecond'],
    ['A launch on the GPU', ceilings.dispatchSeconds, time, 'dispatchSeconds'],
    ['Recording a launch', ceilings.recordSeconds, time, 'recordSeconds'],
    ['From submitting to reading back', ceilings.roundTripSeconds, time, 'roundTripSeconds'],
  ];
  const rows = figures.flatMap(([label, value, show, name]) =>
    value === undefined ? [] : [[label, show(value), noise(name)]],
  );
  return table('What this GPU can do, measured in this tab', ['Ceiling', 'Best', 'Spread'], rows);
}

const roofFor = (hardware: Hardware, name: string): FigureRoof => ({
  name,
  flops: hardware.shader.f32,
  bandwidth: hardware.bandwidth,
});

/** The loaded model's two phases under the roofs. */
function phases(engine: Engine, own: Hardware, second: Hardware | undefined): HTMLElement[] {
  const predictor = loadedPredictor(engine, own);
  if (predictor === undefined) return [];
  const length = Math.min(USUAL.promptTokens, Math.floor(engine.info.contextLength / 2));
  const request = { promptTokens: length, outputTokens: Math.min(USUAL.outputTokens, length) };
  const { prefill, decode } = predictWith(predictor, request);
  const both = [['Prefill', prefill] as const, ...(decode === undefined ? [] : [['Decode', decode] as const])];
  const points = both.map(([name, { intensity, flops, seconds }]): FigurePoint => ({
    name,
    intensity,
    rate: flops / seconds,
  }));
  const roofs = [roofFor(own, 'this GPU'), ...(second === undefined ? [] : [roofFor(second, second.name)])];
  const rows = both.map(([name, phase]) => [
    `${name}${name === 'Prefill' ? ` of ${length} tokens` : ', a token'}`,
    time(phase.seconds),
    phase.intensity.toPrecision(3),
    rate(phase.flops / phase.seconds, 'FLOP/s'),
    rate(phase.bytes / phase.seconds, 'B/s'),
    boundOf(phase),
  ]);
  const ridge = element(
    'p',
    '',
    `Ridge point: ${(own.shader.f32 / own.bandwidth).toPrecision(3)} FLOPs a byte in f32. What does less with each byte waits for memory.`,
  );
  const figure = element('figure', 'wide');
  figure.tabIndex = 0;
  figure.append(rooflineFigure(roofs, points));
  const caption = `${engine.info.model} in ${engine.info.dtype}, as expected here`;
  return [ridge, figure, table(caption, ['Phase', 'Time', 'FLOPs a byte', 'Computes', 'Reads', 'Bound by'], rows)];
}

function runsHere(presets: Readonly<Record<string, unknown>>, own: Hardware): HTMLElement {
  const rows: string[][] = [];
  for (const [name, config] of Object.entries(presets)) {
    for (const weights of DTYPES) {
      let prediction: Prediction;
      try {
        const model = familyModel(name, readConfig({ config, configName: `preset ${name}` }));
        prediction = predictWith(new Predictor(model, own, { weights, kv: 'f16', prefillChunk: 512 }), USUAL);
      } catch {
        continue; // of a family that is priced elsewhere
      }
      const { weightBytes, kvBytes } = prediction.memory;
      const { ttftSeconds, tpotSeconds } = prediction;
      if (weightBytes > MOST_BYTES || (tpotSeconds ?? 0) > MOST_SECONDS) continue;
      rows.push([`${name}, ${weights}`, megabytes(weightBytes + kvBytes), time(ttftSeconds), time(tpotSeconds)]);
    }
  }
  const caption = `What would run here, at ${MOST_SECONDS} s a token or faster: a prompt of ${USUAL.promptTokens} tokens, ${USUAL.outputTokens} generated`;
  return table(caption, ['Model', 'Memory', 'First token', 'Each further one'], rows);
}

/** Fills the list of devices whose roof may be laid over this GPU's. */
export function listDevices(): void {
  const options = CATALOGUE.map(({ id, name }) => {
    const option = document.createElement('option');
    option.value = id;
    option.textContent = name;
    return option;
  });
  parts.device.append(...options);
}

/** Shows what was measured, and what follows from it. */
export function showGpu(
  calibration: Calibration,
  engine: Engine | undefined,
  presets: Readonly<Record<string, unknown>>,
): void {
  const own = fromCalibration(calibration);
  const second = parts.device.value === '' ? undefined : hardwareById(parts.device.value);
  const told = element(
    'p',
    '',
    `${calibration.adapter}, ${calibration.driver}, ${new Date(calibration.date).toLocaleString()}.`,
  );
  parts.gpuReport.replaceChildren(
    told,
    ceilingsTable(calibration),
    ...(engine === undefined ? [] : phases(engine, own, second)),
    runsHere(presets, own),
  );
}
