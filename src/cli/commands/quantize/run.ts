import type { FileSource, ModelFolder } from '../../../checkpoint/source.js';
import { judgeModel, type JudgedModel } from '../../../engine/model-opening.js';
import { weightFormats } from '../../../engine/weight-format.js';
import { RidgepointError } from '../../../errors.js';
import { option, words } from '../../../wording.js';
import { headlessArchitecture } from '../../../model/config.js';
import type { ModelSource } from '../../../model/open.js';
import { openWeights } from '../../../model/open-weights.js';
import { MODULES_FILE, poolingFolders } from '../../../model/pooling.js';
import { planSaving, saveQuantized } from '../../../model/save-quantized.js';
import { nodeHost } from '../../../platform/node/host.js';
import { ModelOutput } from '../../../platform/node/model-output.js';
import { quantFormat } from '../../../quantization/formats.js';
import { quantizationConfig, type SavedFormats } from '../../../quantization/saved.js';
import { LoadingBar } from '../../terminal/progress.js';
import type { QuantizeFlags } from './command.js';
import { EXIT, stopSignal } from '../../run.js';
import { print } from '../../terminal/output.js';

/** Files that go along with a checkpoint's weights, whatever of them there is. */
const COPIED = [
  ...['tokenizer.json', 'tokenizer_config.json', 'tokenizer.model', 'special_tokens_map.json', 'added_tokens.json'],
  ...['vocab.json', 'merges.txt', 'chat_template.jinja', 'chat_template.json', 'generation_config.json'],
  ...[MODULES_FILE, 'config_sentence_transformers.json', 'sentence_bert_config.json'],
  ...['LICENSE', 'LICENSE.txt', 'LICENSE.md', 'NOTICE', 'NOTICE.txt', 'USE_POLICY.md'],
];

/** The formats asked for. @throws RidgepointError where the layers' is not a quantised one */
function formatsOf(flags: QuantizeFlags): SavedFormats {
  const { dtype, head } = weightFormats(flags);
  if (quantFormat(dtype) !== undefined) return { dtype, head } as SavedFormats;
  throw new RidgepointError('usage', words`${option('dtype')} ${flags.dtype} is not quantised; choose int8 or int4`);
}

/**
 * Quantises a checkpoint and saves it as one that loads as it is.
 *
 * @param version of this program
 * @returns the exit code
 * @throws RidgepointError in one sentence
 */
export async function quantize(model: string, path: string, flags: QuantizeFlags, version: string): Promise<number> {
  const begin = performance.now();
  const formats = formatsOf(flags);
  await ModelOutput.check(path, { force: flags.force === true });
  const bar = flags.quiet === true ? undefined : new LoadingBar(model.replace(/.*[/\\](?=.)/, ''));
  try {
    let judgement: Promise<JudgedModel> | undefined;
    const judge = (found: ModelSource): Promise<JudgedModel> => (judgement ??= judgeModel(found, {}));
    const found = await nodeHost.openModel(model, { onProgress: bar?.report, signal: stopSignal, judge });
    if (found.folder === undefined) {
      throw new RidgepointError('usage', `${found.name} is a preset without weights; give a folder or a Hub name`);
    }
    const judged = await judge(found);
    const { packed } = judged;
    if (packed !== undefined) {
      const advice = 'give the checkpoint it was made of';
      throw new RidgepointError('usage', `${found.name} is quantised already, to ${packed.bits} bits; ${advice}`);
    }
    const writer = `ridgepoint:${version}`;
    const { checkpoint, config } = await openWeights(judged);
    try {
      const plan = planSaving(checkpoint, config, formats, {
        ...{ format: 'pt', quantizer: writer, dtype: formats.dtype, head_dtype: formats.head },
      });
      const output = await ModelOutput.open(path, { force: flags.force === true, source: found.folder.name });
      try {
        await output.reserve(plan.bytes);
        await saveQuantized(checkpoint, plan, output, {
          check: flags.checkWeights,
          signal: stopSignal,
          onProgress: (done, item) =>
            bar?.report({ stage: 'quantizing', item, done, total: plan.bytes, unit: 'bytes' }),
        });
        if (plan.index !== undefined) await output.writeText('model.safetensors.index.json', plan.index);
        await copyFiles(found.folder, output);
        // What has no head says so by its name, as the names of tensors will not.
        const head = config.headless
          ? { architectures: [headlessArchitecture(config)] }
          : { tie_word_embeddings: config.tiedEmbeddings };
        const saved = {
          ...(found.config as object),
          ...head,
          quantization_config: quantizationConfig(formats, writer),
        };
        await output.writeText('config.json', `${JSON.stringify(saved, null, 2)}\n`);
        stopSignal.throwIfAborted();
        await output.commit();
      } catch (error) {
        await output.discard();
        throw error;
      }
      bar?.end();
      report(flags, path, formats, { before: checkpoint.totalBytes, after: plan.bytes, ms: performance.now() - begin });
      return EXIT.ok;
    } finally {
      await checkpoint.close();
    }
  } finally {
    bar?.end();
  }
}

async function copyFiles(folder: ModelFolder, output: ModelOutput): Promise<void> {
  for (const name of COPIED) {
    const source = await folder.open(name);
    if (source === undefined) continue;
    await copied(source, output);
  }
  const modules = await folder.readText(MODULES_FILE);
  for (const inside of modules === undefined ? [] : poolingFolders(modules)) {
    const source = await (await folder.within?.(inside))?.open('config.json');
    if (source !== undefined) await copied(source, output, inside);
  }
}

async function copied(source: FileSource, output: ModelOutput, folder?: string): Promise<void> {
  try {
    await output.copy(source, folder);
  } finally {
    await source.close();
  }
}

function report(
  flags: QuantizeFlags,
  path: string,
  { dtype, head }: SavedFormats,
  { before, after, ms }: { before: number; after: number; ms: number },
): void {
  if (flags.json) {
    const seconds = Number((ms / 1000).toFixed(3));
    const saved = { folder: path, dtype, head_dtype: head, bytes: after, source_bytes: before, seconds };
    print(`${JSON.stringify(saved)}\n`);
    return;
  }
  const [scale, unit] = before >= 1e9 ? [1e9, 'GB'] : [1e6, 'MB'];
  const size = (bytes: number): string => `${(bytes / scale).toFixed(2)} ${unit}`;
  const what = `${dtype}${head === dtype ? '' : `, embedding and head ${head}`}`;
  print(`${path}: ${what}, ${size(after)} made of ${size(before)} in ${(ms / 1000).toFixed(1)} s\n`);
}
