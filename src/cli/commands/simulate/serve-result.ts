import { serveSchema, type ServeResult } from '../../../../bench/serve/schema.js';
import { parseJson } from '../../../checkpoint/mistakes.js';
import { RidgepointError } from '../../../errors.js';
import type { SimulatedRequest } from '../../../simulator/request.js';
import { readTextFile } from '../../text-file.js';

/** @throws RidgepointError naming the file and the field */
export async function readServeResult(path: string): Promise<ServeResult> {
  const read = serveSchema.safeParse(parseJson(await readTextFile(path), path));
  if (!read.success) {
    const [{ path: field, message }] = read.error.issues;
    throw new RidgepointError(
      'usage',
      `${path}: is no result of "ridgepoint bench serve": ${field.join('.')}: ${message}`,
    );
  }
  if (read.data.runs.length === 0) throw new RidgepointError('usage', `${path}: holds no run of requests`);
  return read.data;
}

/** The requests of a run as they were sent, with the answers they got; those without a token are left out. */
export function requestsOfRun({ requests }: ServeResult['runs'][number]): SimulatedRequest[] {
  return requests
    .filter(({ status, output_len: tokens }) => status === 'completed' && tokens > 0)
    .map(({ index, sent_ms: sent, input_len: promptTokens, output_len: outputTokens }) => ({
      index,
      arrival: sent / 1000,
      promptTokens,
      outputTokens,
    }));
}
