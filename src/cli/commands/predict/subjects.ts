import { quantFormat } from '../../../quantization/formats.js';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { RidgepointError } from '../../../errors.js';
import { readConfig } from '../../../model/read-config.js';
import { packageRoot } from '../../../platform/node/package-root.js';
import { parseJson } from '../../../checkpoint/mistakes.js';
import { readWhole } from '../../../platform/node/read-whole.js';
import { textOf } from '../../text-file.js';
import { hardwareById } from '../../../roofline/hardware/catalogue.js';
import { usualEngine } from '../../../roofline/hardware/engines.js';
import type { Calibration } from '../../../roofline/hardware/calibration.js';
import { fromCalibration, type Hardware } from '../../../roofline/hardware/hardware.js';
import { familyModel, type Model } from '../../../roofline/models/models.js';
import type { Request } from '../../../roofline/predict/predict.js';
import type { PredictorOptions } from '../../../roofline/predict/predictor.js';
import { ENGINE_OPTIONS } from '../../../engine/options/engine-options.js';
import { option, words, type CommandOptionName } from '../../../wording.js';
import { PREDICT } from './flags.js';
import { refusePredict, single, type PredictFlags } from './options.js';

/** A request where nobody says what it is like. */
export const USUAL_REQUEST: Required<Pick<PredictFlags, 'prompt' | 'output' | 'batch' | 'weightDtype'>> = {
  prompt: PREDICT.where.prompt.default,
  output: PREDICT.where.output.default,
  batch: PREDICT.batch.batch.default,
  weightDtype: PREDICT.how.weightDtype.default,
};
const THIS_MACHINE = /^this(-machine)?$/;

/** Models whose shape is that of a preset. */
const SAME_SHAPE: Readonly<Record<string, string>> = { 'llama-3-8b': 'llama-3.1-8b', 'llama-3-70b': 'llama-3.1-70b' };

async function readJson(path: string): Promise<unknown> {
  try {
    return parseJson(textOf(await readWhole(path), path), path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT' || (cause as NodeJS.ErrnoException).code === 'ENOTDIR') {
      return undefined;
    }
    if (cause instanceof RidgepointError) throw cause;
    throw new RidgepointError('checkpoint', `${path}: cannot be read as JSON: ${(cause as Error).message}`, { cause });
  }
}

/** @throws RidgepointError when there is no such model, or its configuration is not one of a Llama */
export async function findModel(
  name: string = PREDICT.where.model.default,
  asked: CommandOptionName = 'predict.model',
): Promise<Model> {
  if (name === 'bloom-176b') return (await import('../../../roofline/models/bloom.js')).BLOOM_176B;
  if (name === 'deepseek-v2') return (await import('../../../roofline/models/deepseek.js')).DEEPSEEK_V2;
  const models = join(packageRoot(), 'models');
  const presets = (await readJson(join(models, 'presets.json'))) as Record<string, unknown>;
  const preset = SAME_SHAPE[name] ?? name;
  if (Object.hasOwn(presets, preset)) {
    return familyModel(name, readConfig({ config: presets[preset], configName: `preset ${preset}` }));
  }
  for (const path of [name.endsWith('.json') ? name : join(name, 'config.json'), join(models, name, 'config.json')]) {
    const config = await readJson(path);
    if (config !== undefined) return familyModel(name, readConfig({ config, configName: path }));
  }
  const known = [...Object.keys(presets), ...Object.keys(SAME_SHAPE), 'bloom-176b', 'deepseek-v2'];
  throw new RidgepointError(
    'usage',
    words`${option(asked, name)}: neither a model that is known nor a folder with a config.json; known are ${known.join(', ')}`,
    { option: asked },
  );
}

/** Reading files of calibrations takes a schema library, which not every prediction is worth loading. */
const calibrationStore = () => import('../../../platform/node/calibration-store.js');

function machine(calibration: Calibration): Hardware {
  return fromCalibration(calibration, calibration.isCpu ? totalmem() : undefined);
}

/**
 * The hardware that was asked for. When none was: this machine if it was calibrated, with all of `fallback`; where
 * there is no fallback, an H100 in place of a machine that was not.
 *
 * @throws RidgepointError when a name is not known, or this machine is meant and was never calibrated
 */
export async function findHardware(
  { hardware, calibration, adapter }: PredictFlags,
  fallback?: readonly Hardware[],
): Promise<Hardware[]> {
  const given =
    calibration === undefined ? undefined : machine(await (await calibrationStore()).readCalibration(calibration));
  const here = async (): Promise<Hardware | undefined> => {
    if (given !== undefined) return given;
    const found = await (await calibrationStore()).loadCalibration(adapter);
    return found && machine(found);
  };
  if (hardware === undefined) {
    const found = await here();
    if (adapter === undefined && fallback !== undefined) return [...(found ? [found] : []), ...fallback];
    if (found === undefined && adapter !== undefined) throw await notCalibrated(adapter);
    return [found ?? hardwareById('h100-sxm')];
  }
  return Promise.all(
    hardware.map(async (id) => {
      if (!THIS_MACHINE.test(id.toLowerCase())) return hardwareById(id);
      const found = await here();
      if (found === undefined) throw await notCalibrated(adapter);
      return found;
    }),
  );
}

async function notCalibrated(adapter: string | undefined): Promise<RidgepointError> {
  const known = (await (await calibrationStore()).listCalibrations()).map(({ calibration }) => calibration.adapter);
  const what = adapter === undefined ? 'this machine was not calibrated' : `no calibration of an adapter "${adapter}"`;
  const others = known.length > 0 ? `; there are those of ${known.join(', ')}` : '';
  return new RidgepointError('usage', `${what}${others}; run "ridgepoint calibrate" first`);
}

/** The predictor's options among a command's, for one weight format. */
export function predictorOptions(flags: PredictFlags, hardware: Hardware): PredictorOptions {
  const weights = single('predict.weightDtype', flags.weightDtype ?? USUAL_REQUEST.weightDtype);
  return {
    weights,
    // What the engine does unasked with its own formats.
    head: quantFormat(weights) === undefined ? undefined : 'f16',
    kv: flags.kvDtype,
    compute: flags.computeDtype,
    kernels: flags.kernels,
    engine: flags.engine ?? usualEngine(hardware),
    tensorParallel: flags.tp,
    pipelineParallel: flags.pp,
    expertParallel: flags.ep,
    prefillChunk:
      flags.prefillChunk ?? (hardware.kind === 'measured' ? ENGINE_OPTIONS.prefillChunk.default : undefined),
  };
}

/** One request, for questions that take no sweep. */
export function requestOf(flags: PredictFlags): Required<Request> {
  const promptTokens = single('predict.prompt', flags.prompt ?? USUAL_REQUEST.prompt);
  return {
    promptTokens,
    outputTokens: single('predict.output', flags.output ?? USUAL_REQUEST.output),
    batch: single('predict.batch', flags.batch ?? USUAL_REQUEST.batch),
    cachedTokens: cachedOf(flags, [promptTokens]),
  };
}

/**
 * Tokens of each prompt that are in the prefix cache.
 *
 * @throws RidgepointError where one of the prompts would have nothing left to process
 */
export function cachedOf({ cached = PREDICT.where.cached.default }: PredictFlags, prompts: readonly number[]): number {
  const shortest = Math.min(...prompts);
  if (cached < shortest) return cached;
  return refusePredict(
    'predict.cached',
    `must be less than the prompt of ${shortest} tokens, of which one has to be processed, found ${cached}`,
  );
}
