import { entryOf, flagOf } from '../../engine/options/table.js';
import { RidgepointError } from '../../errors.js';
import { spelt, type Mention, type OptionName } from '../../wording.js';

/** An option as it is typed: `--kv-cache-memory 512MiB`. */
function asFlag({ option, value }: Mention<OptionName>): string {
  const name = flagOf(option) ?? option;
  return value === undefined ? name : `${name} ${entryOf(option).kind.show?.(value) ?? value}`;
}

/** What an error says, with options under the names of the command line. */
export const inFlagWords = (error: Error): string =>
  error instanceof RidgepointError ? spelt(error.wording, asFlag) : error.message;
