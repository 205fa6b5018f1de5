import { Predictor } from '../../../roofline/predict/predictor.js';
import { originLine } from './efficiencies.js';
import { single, type PredictFlags } from './options.js';
import { findHardware, findModel, predictorOptions, requestOf } from './subjects.js';

/** Model, one piece of hardware and a request, for questions about one machine. */
export async function subject(flags: PredictFlags) {
  const [model, [hardware, ...others]] = await Promise.all([findModel(flags.model), findHardware(flags)]);
  single('predict.hardware', [hardware, ...others]);
  const options = predictorOptions(flags, hardware);
  const predictor = new Predictor(model, hardware, options);
  return { model, hardware, options, predictor, request: requestOf(flags) };
}

export type PredictedSubject = Awaited<ReturnType<typeof subject>>;

/** `4 x NVIDIA H100 SXM` */
export const machineOf = ({ hardware, chips }: Predictor): string =>
  `${chips > 1 ? `${chips} x ` : ''}${hardware.name}`;

export function heading({ model, predictor, request }: PredictedSubject, what: string): string {
  const { promptTokens, outputTokens, batch } = request;
  return `${what}: ${model.name} on ${machineOf(predictor)}, prompt ${promptTokens}, output ${outputTokens}, batch ${batch}\n`;
}

export const facts = ({ model, hardware, request, predictor }: PredictedSubject) => ({
  model: model.name,
  hardware: hardware.id,
  chips: predictor.chips,
  prompt_tokens: request.promptTokens,
  output_tokens: request.outputTokens,
  batch: request.batch,
});

export const footing = ({ predictor }: PredictedSubject): string => originLine(predictor.pricer.efficiencies);
