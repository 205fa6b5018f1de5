import { badRequest } from '../errors.js';
import { JsonExcess } from '../http/json-excess.js';

/** Items of lists, in all texts of a request together. */
const MOST_ITEMS = 1 << 17;

/** What a text of JSON says; the text itself where it is none. */
export function parsedArguments(given: string): unknown {
  try {
    return JSON.parse(given);
  } catch {
    return given;
  }
}

/**
 * JSON that a request has in its texts, as arguments of calls and schemas are written. The bounds of a body hold for it
 * as well, for all of it together: a text of four megabytes may have a million keys.
 */
export class WrittenJson {
  readonly #param: string;
  readonly #excess: JsonExcess;

  /** @param param the field it stands in */
  constructor(param: string) {
    this.#param = param;
    this.#excess = new JsonExcess(`${param}: the JSON in its texts`, MOST_ITEMS);
  }

  /** What a text says; the text itself where it is no JSON. @throws ApiError (400) for more than a request may have */
  read(given: string): unknown {
    const excess = this.#excess.of(new TextEncoder().encode(given));
    if (excess !== undefined) throw badRequest(excess, this.#param);
    return parsedArguments(given);
  }
}
