import { markdownTable } from '../../../../bench/tables/markdown.js';
import { RidgepointError } from '../../../errors.js';
import { option, words } from '../../../wording.js';
import type { Engine } from '../../../index.js';
import { loadEngine } from '../../load.js';
import { engineOptions } from '../../options/common.js';
import { EXIT, stopSignal } from '../../run.js';
import { print, status } from '../../terminal/output.js';
import { isRewritable } from '../../terminal/style.js';
import type { EvaluateFlags } from './command.js';
import { readsText } from './reads-text.js';
import { TASKS } from './tasks/index.js';
import { resultOf, type Question, type Scores, type Task } from './tasks/task.js';

/** @throws RidgepointError for a name that is none of a set's */
export function tasksOf(names: string): readonly Task[] {
  if (names === 'all') return TASKS;
  return names.split(',').map((name) => {
    const task = TASKS.find((one) => one.name === name.trim());
    if (task !== undefined) return task;
    const known = TASKS.map((one) => one.name).join(', ');
    throw new RidgepointError(
      'usage',
      words`${option('evaluate.tasks')} must be all or some of ${known}, found ${JSON.stringify(name.trim())}`,
    );
  });
}

/** Asks a model the questions of some sets: the answer that it finds likeliest is its own. @returns the exit code */
export async function evaluateTasks(names: string, flags: EvaluateFlags): Promise<number> {
  const tasks = tasksOf(names);
  const engine = await loadEngine(
    { ...engineOptions(flags), prefixCaching: false, onModel: readsText },
    flags.quiet !== true,
  );
  if (engine.whyNoText !== undefined) throw new RidgepointError('usage', engine.whyNoText);
  const tell = flags.quiet !== true && isRewritable(process.stderr);
  const results = [];
  for (const task of tasks) {
    const scores: Scores[] = [];
    for (const question of task.questions) {
      stopSignal.throwIfAborted();
      scores.push(await scoresOf(engine, question));
      if (tell) status(`${task.name}: ${scores.length} of ${task.questions.length}`);
    }
    results.push({ name: task.name, about: task.about, ...resultOf(task, scores) });
  }
  if (tell) status();
  if (flags.json) {
    const { model, adapter, driver, dtype, kvDtype } = engine.info;
    print(`${JSON.stringify({ model, adapter, driver, dtype, kv_dtype: kvDtype, tasks: results })}\n`);
    return EXIT.ok;
  }
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const rows = results.map(({ name, about, questions, accuracy, error, accuracyByByte, chance }) => [
    name,
    about,
    String(questions),
    `${percent(accuracy)} ± ${(100 * error).toFixed(1)}`,
    percent(accuracyByByte),
    percent(chance),
  ]);
  const titles = ['set', 'asks for', 'questions', 'right', 'right by byte', 'by chance'];
  const { model, dtype, adapter } = engine.info;
  print(
    `${model} in ${dtype} on ${adapter}\n\n${markdownTable(titles, rows, [false, false, true, true, true, true])}\n`,
  );
  return EXIT.ok;
}

/** Log-probabilities of a question's answers behind its beginning. */
export async function scoresOf(engine: Pick<Engine, 'tokenize' | 'probe'>, { begin, ends }: Question): Promise<Scores> {
  const scores: number[] = [];
  const prompt = engine.tokenize(begin);
  for (const end of ends) {
    const ids = engine.tokenize(begin + end);
    // Where the answer's first letters join the beginning's last token, that token counts as well.
    let shared = 0;
    while (shared < prompt.length && prompt[shared] === ids[shared]) shared++;
    let sum = 0;
    await engine.probe().logits(ids, shared - 1, (position, logits) => {
      if (position + 1 < ids.length) sum += logProbability(logits, ids[position + 1]);
    });
    scores.push(sum);
  }
  return scores;
}

function logProbability(logits: Float32Array, id: number): number {
  let most = -Infinity;
  for (const logit of logits) most = Math.max(most, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - most);
  return logits[id] - most - Math.log(sum);
}
