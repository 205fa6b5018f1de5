import { RidgepointError } from '../src/errors.js';
import { SCHEMA_VERSION } from './schema-version.js';
import { resultSchema, type BenchResult } from './schema.js';

/** What a file is, by the fields that say so. */
interface Labelled {
  readonly kind?: unknown;
  readonly version?: unknown;
}

/**
 * Reads a result out of the text of a file.
 *
 * @param name of the file, for messages
 * @throws RidgepointError ('usage') when it is no JSON, of another version, or of another shape; it names the field
 */
export function parseResult(text: string, name: string): BenchResult {
  const refuse = (why: string, cause?: unknown): never => {
    throw new RidgepointError('usage', `${name}: ${why}`, { cause });
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    return refuse('is not JSON; run "ridgepoint bench" again', cause);
  }
  const { kind, version } = (json ?? {}) as Labelled;
  if (kind === 'serve')
    return refuse(
      'is a result of requests that were served, of which nothing is predicted; name a second one to set beside it',
    );
  const parsed = resultSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  if (typeof version === 'number' && version > SCHEMA_VERSION)
    return refuse(`is of version ${version}, and this program reads version ${SCHEMA_VERSION}; use a newer one`);
  const issue = parsed.error.issues[0];
  const field = issue.path.length > 0 ? `"${issue.path.join('.')}": ` : '';
  return refuse(`${field}${issue.message}; run "ridgepoint bench" again`);
}
