import { predictWith, type Prediction } from '../../../roofline/predict/predict.js';
import { Predictor } from '../../../roofline/predict/predictor.js';
import { decodeStep } from '../../../roofline/predict/decode-line.js';
import { emit } from '../../terminal/answer.js';
import { efficiencyJson, originLine } from './efficiencies.js';
import { operationColumns, pricedRows } from './operations.js';
import type { FlagsIn } from '../../options/command-table.js';
import type { PREDICT } from './flags.js';
import type { PredictFlags } from './options.js';
import { predictionJson } from './prediction-json.js';
import { describe } from './report.js';
import { cachedOf, USUAL_REQUEST, findHardware, findModel, predictorOptions } from './subjects.js';
import { sweepColumns } from './sweep-columns.js';
import { print } from '../../terminal/output.js';

export type PredictMainFlags = PredictFlags & FlagsIn<typeof PREDICT.map>;

/**
 * Predicts one request, or every combination of the lists given.
 *
 * @returns the exit code
 * @throws RidgepointError when something named is not known
 */
export async function predictCommand(flags: PredictMainFlags): Promise<number> {
  const [model, hardware] = await Promise.all([findModel(flags.model), findHardware(flags)]);
  const {
    weightDtype = USUAL_REQUEST.weightDtype,
    prompt = USUAL_REQUEST.prompt,
    output = USUAL_REQUEST.output,
  } = flags;
  const cachedTokens = cachedOf(flags, prompt);
  const predictions: Prediction[] = [];
  for (const each of hardware) {
    for (const weights of weightDtype) {
      const options = predictorOptions({ ...flags, weightDtype: [weights] }, each);
      const predictor = new Predictor(model, each, options);
      for (const promptTokens of prompt) {
        for (const outputTokens of output) {
          for (const batch of flags.batch ?? USUAL_REQUEST.batch) {
            predictions.push(predictWith(predictor, { promptTokens, outputTokens, batch, cachedTokens }));
          }
        }
      }
    }
  }
  if (flags.perOperation) return perOperation(flags, predictions);
  if (predictions.length > 1 || flags.csv) {
    const origins = new Set(predictions.map(({ hardware: id, efficiencies }) => `${id} ${originLine(efficiencies)}`));
    return emit(flags, {
      rows: predictions,
      columns: sweepColumns,
      before: `${model.name}\n`,
      after: [...origins].join(''),
      json: {
        model: model.name,
        efficiencies: efficienciesByHardware(predictions),
      },
    });
  }
  const [prediction] = predictions;
  const text = flags.json ? `${JSON.stringify(predictionJson(prediction), null, 2)}\n` : describe(prediction);
  print(text);
  return 0;
}

/** What was assumed, by hardware and format of the weights. */
function efficienciesByHardware(predictions: readonly Prediction[]): Record<string, Record<string, unknown>> {
  const found: Record<string, Record<string, unknown>> = {};
  for (const { hardware, predictor, efficiencies } of predictions) {
    (found[hardware] ??= {})[predictor.weights] ??= efficiencyJson(efficiencies);
  }
  return found;
}

/** The operations of the prefill's first step and of the decode step half way, in order. */
function perOperation(flags: PredictFlags, predictions: readonly Prediction[]): number {
  const rows = predictions.flatMap((prediction) => {
    const { predictor, promptTokens, outputTokens, batch, cachedTokens } = prediction;
    const [prefill] = predictor.prefillSteps(promptTokens - cachedTokens, batch, cachedTokens);
    const steps = outputTokens > 1 ? [decodeStep(promptTokens + Math.floor((outputTokens - 1) / 2), batch)] : [];
    return [prefill, ...steps].flatMap((step) => pricedRows(predictor, step));
  });
  return emit(flags, {
    rows,
    columns: operationColumns,
    after: predictions.length === 1 ? originLine(predictions[0].efficiencies) : '',
    json: { model: predictions[0].model },
  });
}
