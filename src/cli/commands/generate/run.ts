import type {
  Generation,
  GenerationChunk,
  GenerationResult,
  ModelFacts,
  Prompt,
  TextEngine,
} from '../../../engine/api.js';
import { RidgepointError } from '../../../errors.js';
import { option, words } from '../../../wording.js';
import { checkOptions, engineOptions, generateOptions } from '../../options/common.js';
import { loadEngine } from '../../load.js';
import type { GenerateFlags } from './command.js';
import { readPrompt } from './prompt.js';
import { jsonReport, summary, timingsTable } from './report.js';
import { endable, EXIT, outputClosed, stopSignal } from '../../run.js';
import { speculationOptions } from '../../options/scheduling.js';
import { remark } from '../../terminal/style.js';
import { print, tell } from '../../terminal/output.js';

/**
 * Continues a prompt: text to standard output as it comes, or one JSON object at the end.
 *
 * @returns the exit code
 * @throws RidgepointError in one sentence
 */
export async function generate(argument: string | undefined, flags: GenerateFlags): Promise<number> {
  const options = generateOptions(flags);
  checkOptions(options);
  if (flags.logprobs !== undefined && !flags.json) {
    throw new RidgepointError(
      'usage',
      words`${option('logprobs')} needs ${option('generate.json')}, the only output that shows them`,
    );
  }
  const prompt = await readPrompt(argument, flags);
  const quiet = flags.quiet ?? false;
  const loadBegan = performance.now();
  const engine = await loadEngine(
    { ...engineOptions(flags), ...speculationOptions(flags), onModel: (model) => refuseModel(model, prompt) },
    !quiet && !flags.json,
    !quiet,
  );
  const began = performance.now();
  const generation = endable(() => engine.generate(prompt, { ...options, signal: stopSignal }));
  const chunks = flags.json
    ? await collected(generation)
    : await streamed(generation, new Printer(engine, prompt, flags.echo ?? true));
  const result = await generation.result;
  const run = { engine, result, chunks, loadBegan, firstTokenAt: began + result.ttftMs };

  if (flags.json) print(`${JSON.stringify(jsonReport(run))}\n`);
  if (flags.timings) tell(timingsTable(run));
  if (!flags.json && !outputClosed() && (flags.timings || (process.stderr.isTTY && !quiet))) remark(summary(run));
  return EXIT.ok;
}

/** A model that cannot continue this prompt is refused before its weights are fetched. */
function refuseModel({ model, hasTokenizer, whyNoText }: ModelFacts, prompt: Prompt): void {
  if (whyNoText !== undefined) throw new RidgepointError('usage', whyNoText);
  if (typeof prompt === 'string' && !hasTokenizer) {
    throw new RidgepointError(
      'usage',
      words`${model} has no tokenizer.json; give ${option('generate.promptIds')} instead of text`,
    );
  }
}

async function collected(generation: Generation): Promise<GenerationChunk[]> {
  const chunks: GenerationChunk[] = [];
  for await (const chunk of generation) chunks.push(chunk);
  return chunks;
}

async function streamed(generation: Generation, printer: Printer): Promise<GenerationChunk[]> {
  const chunks: GenerationChunk[] = [];
  printer.begin();
  try {
    for await (const chunk of generation) {
      if (outputClosed()) break;
      chunks.push(chunk);
      printer.chunk(chunk);
    }
  } finally {
    printer.end();
  }
  return chunks;
}

/** Prints prompt and continuation as one text; as ids where the model has no tokenizer. */
class Printer {
  #last = '';
  readonly #engine: TextEngine;
  readonly #prompt: Prompt;
  readonly #echo: boolean;

  constructor(engine: TextEngine, prompt: Prompt, echo: boolean) {
    this.#engine = engine;
    this.#prompt = prompt;
    this.#echo = echo;
  }

  begin(): void {
    if (!this.#echo) return;
    const engine = this.#engine;
    const prompt = this.#prompt;
    if (typeof prompt === 'string') this.#write(prompt);
    else if (engine.hasTokenizer) this.#write(engine.detokenize(prompt));
    else this.#ids(prompt);
  }

  chunk({ text, ids }: Pick<GenerationResult, 'text' | 'ids'>): void {
    if (this.#engine.hasTokenizer) this.#write(text);
    else this.#ids(ids);
  }

  /** The next thing on the screen shall start on a line of its own. */
  end(): void {
    if (this.#last !== '' && this.#last !== '\n') this.#write('\n');
  }

  #ids(ids: readonly number[]): void {
    for (const id of ids) this.#write(this.#last === '' ? `${id}` : ` ${id}`);
  }

  #write(text: string): void {
    if (text === '' || outputClosed()) return;
    print(text);
    this.#last = text.at(-1)!;
  }
}
