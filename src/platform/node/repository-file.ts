import { RidgepointError } from '../../errors.js';

/** A file of a public repository, as it was at a commit. */
export interface RepositoryFile {
  readonly repository: string;
  readonly commit: string;
  readonly file: string;
}

/** How long an answer may take, in milliseconds. */
const PATIENCE_MS = 20_000;
/** A page of more is not one that anybody wrote. */
const MOST_BYTES = 4 << 20;

/**
 * Where files of repositories are; `RIDGEPOINT_GITHUB` names a mirror.
 *
 * @throws RidgepointError('usage') for what is no address, or has a password in it, in words that do not show it
 */
function endpoint(): string {
  const given = process.env.RIDGEPOINT_GITHUB || 'https://raw.githubusercontent.com';
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    const message = 'RIDGEPOINT_GITHUB must be an http or https address without a name and password in it; correct it';
    throw new RidgepointError('usage', message);
  }
  return given.replace(/\/+$/, '');
}

/** A repository that was moved or made private stays so; a server that is busy or broken does not. */
const whatToDo = (status: number): string =>
  status < 500 && status !== 429
    ? 'have RIDGEPOINT_GITHUB name a mirror that has it, or leave these rows out'
    : 'run again later';

/**
 * The text of the file.
 *
 * @param asked the option that wants it, for errors
 * @throws RidgepointError('network') in one sentence for whatever keeps it from coming; the signal's reason if aborted
 */
export async function repositoryFile(
  { repository, commit, file }: RepositoryFile,
  asked: string,
  signal?: AbortSignal,
): Promise<string> {
  const url = `${endpoint()}/${repository}/${commit}/${file}`;
  const fail = (why: string, cause?: unknown): RidgepointError =>
    new RidgepointError('network', `${asked}: ${why}`, { cause });
  const late = AbortSignal.timeout(PATIENCE_MS);
  try {
    const answer = await fetch(url, { signal: signal === undefined ? late : AbortSignal.any([signal, late]) });
    if (!answer.ok) throw fail(`${url} answers with status ${answer.status}; ${whatToDo(answer.status)}`);
    const text = await answer.text();
    if (text.length > MOST_BYTES) throw fail(`${url} is larger than ${MOST_BYTES >> 20} MiB; update ridgepoint`);
    return text;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof RidgepointError) throw error;
    const { message, cause } = error as Error;
    const why = late.aborted
      ? `no answer in ${PATIENCE_MS / 1000} s`
      : cause instanceof Error
        ? cause.message
        : message;
    throw fail(`cannot reach ${url} (${why}); check the network and run again`, error);
  }
}
