import { median } from '../../../statistics.js';
import { familyModel } from '../../../roofline/models/models.js';
import { priceStep } from '../../../roofline/predict/predict.js';
import { Predictor } from '../../../roofline/predict/predictor.js';
import type { ProbedStep, StepProbe } from '../../../engine/probe.js';
import { RidgepointError } from '../../../errors.js';
import { option, words } from '../../../wording.js';
import type { Engine } from '../../../index.js';
import { kernelSet } from '../../../../bench/compare/predictor.js';
import { busyShare, busyText } from '../../../../bench/profile/busy.js';
import { topOperations } from '../../../../bench/profile/top.js';
import { profileTrace, type NamedStep } from '../../../../bench/profile/trace.js';
import { writeWhole } from '../../../../bench/store.js';
import { hardwareFor } from '../compare/hardware.js';
import { loadEngine } from '../../load.js';
import type { ProfileFlags } from './command.js';
import { engineOptions } from '../../options/common.js';
import { EXIT, stopSignal } from '../../run.js';
import { remark } from '../../terminal/style.js';
import { checkWritable } from '../../../platform/node/whole-file.js';
import { print } from '../../terminal/output.js';

/**
 * Writes a trace of a prefill and some decode steps, and prints which operations take longest.
 *
 * @returns the exit code
 * @throws RidgepointError in one sentence
 */
export async function profile(flags: ProfileFlags): Promise<number> {
  const { prompt = 128, decode = 8, batch = 1, tokens = 128, output = 'trace.json' } = flags;
  const tell = !(flags.quiet ?? false);
  await checkWritable(output);
  const longest = prompt + Math.max(decode, tokens);
  const engine = await loadEngine(
    {
      ...engineOptions(flags),
      maxSequences: batch,
      prefixCaching: false,
      prefillChunk: flags.prefillChunk ?? prompt,
      kvCacheTokens: Math.max(batch * (longest + 16), flags.contextLength ?? 0),
    },
    tell,
  );
  const predictor = await predictorOf(engine, flags);
  const probe = engine.probe();
  const named = (name: string, step: ProbedStep): NamedStep => ({
    name,
    step,
    predictedMs: predictor && predictions(predictor, step),
  });
  const steps: NamedStep[] = [];
  const host: string[] = [];
  try {
    // Once unseen: the first use of a pipeline costs what no later one does.
    await probe.prefill(prompt, 0, { profile: true });
    await probe.decode(batch, prompt, { profile: true });
    steps.push(named(`prefill ${prompt}`, await probe.prefill(prompt, 0, { profile: true })));
    for (let token = 0; token < decode && !stopSignal.aborted; token++) {
      const step = await probe.decode(batch, prompt + token, { profile: true });
      steps.push(named(`decode ${token + 1}`, step));
    }
    if (!stopSignal.aborted) {
      host.push(...(await busyWhile(engine, Math.min(prompt, engine.info.contextLength - 2), tokens)));
      // After those tokens, as it is for all but an engine's first: the host's code is compiled by then.
      host.push(await recordingCost(probe, batch, prompt));
    }
  } catch (error) {
    if (!(error instanceof Error && /has no timestamp queries/.test(error.message))) throw error;
    throw new RidgepointError(
      'adapter',
      words`${engine.info.adapter} has no timestamp queries, so operations cannot be timed on it; choose another with ${option('adapter')}`,
      { cause: error },
    );
  }

  const { adapter, driver, tier, model, dtype } = engine.info;
  const trace = profileTrace(steps, { adapter, driver, tier, model, dtype, date: new Date().toISOString() });
  await writeWhole(output, JSON.stringify(trace));
  const sections = [topOperations(`Prefill of ${prompt} tokens`, steps.slice(0, 1))];
  if (steps.length > 1) {
    const title = `Decode step of ${batch} after ${prompt} tokens, median of ${steps.length - 1}`;
    sections.push(topOperations(title, steps.slice(1)));
  }
  sections.push(...host);
  print(`${model} in ${dtype} on ${adapter}\n\n${sections.join('\n\n')}\n`);
  if (tell) remark(`written to ${output}; open it in Perfetto (ui.perfetto.dev) or chrome://tracing`);
  return EXIT.ok;
}

/** Undefined where there is nothing to predict from; measuring needs no prediction. */
async function predictorOf(engine: Engine, flags: ProfileFlags): Promise<Predictor | undefined> {
  const { info, config } = engine;
  try {
    const hardware = await hardwareFor(info.adapter, info.driver, flags);
    const kernels = flags.kernels ?? kernelSet(hardware, engine.kernels().prefill);
    const formats = { weights: info.dtype, head: info.headDtype, kv: info.kvDtype, activations: info.activations };
    return new Predictor(familyModel(info.model, config), hardware, { ...formats, kernels });
  } catch (error) {
    const asked = flags.calibration !== undefined || flags.hardware !== undefined;
    if (asked || !(error instanceof RidgepointError)) throw error;
    if (!flags.quiet) remark(`no prediction: ${error.message}`);
    return undefined;
  }
}

const predictions = (predictor: Predictor, { batch }: ProbedStep): Map<string, number> =>
  new Map(
    priceStep(predictor, batch).map(({ operation, price }) => [
      operation.name,
      // A profiled operation has a pass of its own.
      1000 * (price.seconds + (predictor.hardware.host?.profiledSeconds ?? 0)),
    ]),
  );

/** What a decode step, in one pass, costs the host. */
async function recordingCost(probe: StepProbe, batch: number, context: number): Promise<string> {
  const steps: ProbedStep[] = [];
  do steps.push(await probe.decode(batch, context));
  while (steps.length < 16 && !stopSignal.aborted);
  const ms = (of: (step: ProbedStep) => number): string => `${median(steps.map(of)).toFixed(2)} ms`;
  return (
    `A decode step cost the host ${ms(({ recordMs }) => recordMs)} of recording ` +
    `and ${ms(({ submitMs }) => submitMs)} of submitting (medians of ${steps.length}).`
  );
}

/** Generates tokens as users do and says how busy the GPU was. */
async function busyWhile(engine: Engine, prompt: number, tokens: number): Promise<string[]> {
  if (tokens < 2) return [];
  const ids = Array.from({ length: prompt }, (_, i) => (i * 7919 + 1) % engine.config.vocab);
  const generate = (maxTokens: number): Promise<unknown> =>
    engine.generate(ids, { maxTokens, ignoreEos: true, temperature: 0, signal: stopSignal }).result;
  await generate(tokens); // unseen: kernels that were not used yet
  // The prompt's step comes first, and is not counted.
  const [, ...steps] = await engine.timeSteps(tokens, () => generate(tokens));
  return steps.length < 2 ? [] : [`${busyText(busyShare(steps))}.`];
}
