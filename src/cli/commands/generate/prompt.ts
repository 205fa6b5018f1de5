import type { Prompt } from '../../../engine/api.js';
import { RidgepointError } from '../../../errors.js';
import { stopSignal } from '../../run.js';
import { readTextFile, textOf } from '../../text-file.js';

export interface PromptFlags {
  readonly promptIds?: readonly number[];
  readonly promptFile?: string;
}

/**
 * The prompt from wherever it was given: the argument, `--prompt-ids`, `--prompt-file`, or standard input.
 *
 * @throws RidgepointError when there is none, more than one, or its text is not UTF-8
 */
export async function readPrompt(argument: string | undefined, flags: PromptFlags): Promise<Prompt> {
  const { promptIds, promptFile } = flags;
  const given = [
    argument !== undefined && 'a prompt',
    promptIds && '--prompt-ids',
    promptFile !== undefined && '--prompt-file',
  ].filter((each): each is string => typeof each === 'string');
  if (given.length > 1) {
    throw new RidgepointError('usage', `give one of ${given.join(' and ')}, not both`);
  }
  if (promptIds !== undefined) return promptIds;
  if (promptFile !== undefined)
    return (await readTextFile(promptFile, `--prompt-file ${promptFile}`)).replace(/\n$/, '');
  if (argument !== undefined && argument !== '-') return argument;
  if (argument === undefined && process.stdin.isTTY) {
    throw new RidgepointError(
      'usage',
      'no prompt; give one in quotes, such as: ridgepoint generate "Once upon a time"',
    );
  }
  const text = asText(await readStdin(), 'standard input');
  if (text === '')
    throw new RidgepointError('usage', 'standard input is empty; give a prompt in quotes or pipe one in');
  return text;
}

async function readStdin(): Promise<Uint8Array> {
  stopSignal.throwIfAborted(); // nobody is told of what has been before
  const chunks: Buffer[] = [];
  const stopped = (): void => void process.stdin.destroy(stopSignal.reason as Error);
  stopSignal.addEventListener('abort', stopped, { once: true });
  try {
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  } finally {
    stopSignal.removeEventListener('abort', stopped);
  }
  return Buffer.concat(chunks);
}

/** Text without the line end that editors and `echo` put last. */
function asText(bytes: Uint8Array, source: string): string {
  return textOf(bytes, source).replace(/\n$/, '');
}
