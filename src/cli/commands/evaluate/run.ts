import { markdownTable } from '../../../../bench/tables/markdown.js';
import type { EngineInfo, EngineOptions } from '../../../engine/api.js';
import { Evaluation, slidingWindows } from '../../../engine/evaluation.js';
import { RidgepointError } from '../../../errors.js';
import { option, words } from '../../../wording.js';
import type { Engine } from '../../../index.js';
import type { EvaluateFlags } from './command.js';
import { loadEngine } from '../../load.js';
import { readsText } from './reads-text.js';
import { evaluateTasks } from './run-tasks.js';
import { engineOptions } from '../../options/common.js';
import { endable, EXIT, stopSignal } from '../../run.js';
import { isRewritable } from '../../terminal/style.js';
import { readTextFile } from '../../text-file.js';
import { print, status } from '../../terminal/output.js';

/** Rows whose logits are computed at once. */
const LOGIT_ROWS = 64;
const MOST_WINDOW = 512;

/** Tokens of each document of a text, as the model's tokenizer begins a text. */
function documentsOf(engine: Engine, text: string, separator: string | undefined): number[][] {
  const parts: string[] = [''];
  for (const line of text.split('\n')) {
    if (line === separator) parts.push('');
    else parts[parts.length - 1] += `${line}\n`;
  }
  return parts
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => engine.tokenize(part));
}

/** The run to compare with: f16, or f32 where the run itself is in f16. */
function referenceOptions(
  options: EngineOptions,
  { dtype, headDtype }: EngineInfo,
  against: string | undefined,
): EngineOptions | undefined {
  if (against === 'none') return undefined;
  const plain = dtype === 'f16' && headDtype === 'f16' && (options.kvDtype ?? 'auto') === 'auto';
  const asked = (against ?? (plain ? 'f32' : 'f16')) as EngineOptions['dtype'];
  return {
    ...options,
    dtype: asked,
    headDtype: undefined,
    groupSize: undefined,
    zeroPoints: undefined,
    activations: undefined,
    kvDtype: 'auto',
  };
}

/**
 * Measures how well a model predicts a text, and how far its precision takes it from another.
 *
 * @returns the exit code
 * @throws RidgepointError in one sentence
 */
export async function evaluate(file: string | undefined, flags: EvaluateFlags): Promise<number> {
  const { tasks } = flags;
  if ((file === undefined) === (tasks === undefined)) {
    throw new RidgepointError(
      'usage',
      words`give a text to evaluate, or questions with ${option('evaluate.tasks')}: one of the two`,
    );
  }
  if (file === undefined) return evaluateTasks(tasks!, flags);
  const options: EngineOptions = {
    ...engineOptions(flags),
    logitRows: LOGIT_ROWS,
    prefixCaching: false,
    onModel: readsText,
  };
  const text = await readTextFile(file);
  const { documents: separator } = flags;
  if (separator !== undefined && !text.split('\n').includes(separator)) {
    const advice = 'give the line that stands between them, or leave --documents out';
    throw new RidgepointError('usage', `${file}: has no line that is ${JSON.stringify(separator)}; ${advice}`);
  }
  const tell = flags.quiet !== true && isRewritable(process.stderr);
  const engine = await loadEngine(options, flags.quiet !== true);
  if (engine.whyNoText !== undefined) throw new RidgepointError('usage', engine.whyNoText);
  const other = referenceOptions(options, engine.info, flags.against);
  const reference = other && (await loadEngine(other, flags.quiet !== true));

  const window = flags.window ?? Math.min(MOST_WINDOW, engine.info.contextLength);
  const stride = flags.stride ?? Math.ceil(window / 2);
  if (window > engine.info.contextLength) {
    throw new RidgepointError(
      'usage',
      words`${option('evaluate.window')} ${window} is more than the context of ${engine.info.contextLength}`,
    );
  }
  if (stride >= window)
    throw new RidgepointError(
      'usage',
      words`${option('evaluate.stride')} ${stride} must be less than ${option('evaluate.window')} ${window}`,
    );

  const documents = endable(() => documentsOf(engine, text, flags.documents));
  const evaluation = new Evaluation(engine.config.vocab);
  const most = flags.tokens ?? Infinity;
  let seen = 0;
  for (const [i, ids] of documents.entries()) {
    const left = most - seen;
    if (left < 2) break;
    const cut = ids.slice(0, left);
    for (const { begin, end, from } of slidingWindows(cut.length, window, stride)) {
      stopSignal.throwIfAborted();
      const sight = cut.slice(begin, end);
      // The logits at a position tell of the token after it.
      const first = from - begin - 1;
      const there = reference && (await logitsOf(reference, sight, first));
      await engine.probe().logits(sight, first, (position, logits) => {
        if (position + 1 < sight.length) evaluation.add(logits, sight[position + 1], there?.[position - first]);
      });
    }
    seen += cut.length;
    if (tell) status(`${i + 1} of ${documents.length} texts, ${seen} tokens`);
  }
  if (tell) status();
  if (evaluation.quality.tokens === 0) {
    throw new RidgepointError('usage', `${file}: has no two tokens to evaluate; give a longer text`);
  }
  show(flags, engine, reference, evaluation, { window, stride, documents: documents.length });
  return EXIT.ok;
}

async function logitsOf(engine: Engine, ids: number[], from: number): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  await engine.probe().logits(ids, from, (_, logits) => void rows.push(logits.slice()));
  return rows;
}

function show(
  flags: EvaluateFlags,
  engine: Engine,
  reference: Engine | undefined,
  evaluation: Evaluation,
  setting: { window: number; stride: number; documents: number },
): void {
  const { quality, distance } = evaluation;
  const formats = ({ info }: Engine): Record<string, unknown> => ({
    dtype: info.dtype,
    head_dtype: info.headDtype,
    activations: info.activations,
    kv_dtype: info.kvDtype,
    weight_bytes: info.weightBytes,
  });
  const ratio = reference && quality.perplexity / evaluation.reference.perplexity - 1;
  if (flags.json) {
    const compared = reference && {
      reference: { ...formats(reference), perplexity: evaluation.reference.perplexity },
      perplexity_change: ratio,
      mean_kl: distance.meanKl,
      top1_agreement: distance.top1Agreement,
      largest_logit_error: distance.largestLogitError,
    };
    const { model, adapter, driver } = engine.info;
    const own = { model, adapter, driver, ...formats(engine), ...setting, ...quality, ...compared };
    print(`${JSON.stringify(own)}\n`);
    return;
  }
  const name = ({ info }: Engine): string =>
    `${info.dtype}${info.headDtype === info.dtype ? '' : `, head ${info.headDtype}`}${info.activations === 'f32' ? '' : `, activations ${info.activations}`}, KV ${info.kvDtype}`;
  const rows = [['perplexity', quality.perplexity.toFixed(4)]];
  if (reference !== undefined) {
    rows.push(
      [`perplexity of ${name(reference)}`, evaluation.reference.perplexity.toFixed(4)],
      ['change', `${ratio! >= 0 ? '+' : ''}${(100 * ratio!).toFixed(3)} %`],
      ['mean KL divergence', `${distance.meanKl.toExponential(2)} nats`],
      ['top-1 agreement', `${(100 * distance.top1Agreement).toFixed(2)} %`],
      ['largest logit error', distance.largestLogitError.toPrecision(3)],
    );
  }
  const { window, stride } = setting;
  const what = `${engine.info.model} in ${name(engine)} on ${engine.info.adapter}`;
  const how = `${quality.tokens} tokens, windows of ${window} every ${stride}`;
  print(`${what}\n${how}\n\n${markdownTable(['', 'value'], rows, [false, true])}\n`);
}
