const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];

/** Deeper than any header: tensors hold lists, and nothing holds more. */
const MOST_DEPTH = 8;
/** A shape has as many dimensions at most, and no other list is longer. */
const MOST_IN_LIST = 64;
/** Tensors and metadata of one file; the largest models have some 100,000 in all their files. */
const MOST_KEYS = 250_000;
/** Keys that a tensor is described by, unknown ones included. */
const MOST_IN_ENTRY = 16;

const METADATA = '__metadata__';

/** What an open bracket holds so far. */
interface Level {
  readonly isObject: boolean;
  /** Of which the format's own reader takes repeated keys, the last one. */
  readonly isMetadata: boolean;
  readonly keys: string[];
  count: number;
}

/**
 * Looks through the bytes of a header before it is parsed, so that parsing takes memory and time in proportion to what a
 * header can be: a hundred megabytes of brackets would take gigabytes. Text that is no JSON passes; the parser says so.
 *
 * @returns what is wrong with it, in words; undefined where it can be parsed
 */
export function headerTrouble(json: Uint8Array): string | undefined {
  const levels: Level[] = [];
  let named: string | undefined;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i];
    const level = levels[levels.length - 1] as Level | undefined;
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      if (levels.length >= MOST_DEPTH) return `is nested more than ${MOST_DEPTH} deep`;
      const isMetadata = levels.length === 1 && named === METADATA;
      levels.push({ isObject: byte === OPEN_OBJECT, isMetadata, keys: [], count: 0 });
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      levels.pop();
    } else if (byte === COMMA) {
      if (level && !level.isObject && ++level.count >= MOST_IN_LIST) return `has a list of more than ${MOST_IN_LIST}`;
    } else if (byte === QUOTE) {
      const begin = i;
      for (i++; i < json.length && json[i] !== QUOTE; i++) if (json[i] === BACKSLASH) i++;
      if (level?.isObject !== true || !isKey(json, i + 1)) continue;
      const isEntry = levels.length > 1;
      level.count++;
      if (level.count > MOST_KEYS) return `names more than ${MOST_KEYS} things`;
      if (!isEntry) named = i + 1 - begin === METADATA.length + 2 ? keyText(json.subarray(begin, i + 1)) : undefined;
      if (!isEntry || level.isMetadata || level.count > MOST_IN_ENTRY) continue;
      const key = keyText(json.subarray(begin, i + 1));
      if (key === undefined) continue;
      if (level.keys.includes(key)) return `has the key "${key}" twice in one description`;
      level.keys.push(key);
    }
  }
  return undefined;
}

/** Whether what ends before `at` is a key: a colon follows. */
function isKey(json: Uint8Array, at: number): boolean {
  while (json[at] <= 0x20) at++;
  return json[at] === COLON;
}

/** The text of a short quoted key; a long one is none that matters. */
function keyText(quoted: Uint8Array): string | undefined {
  if (quoted.length > 128) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(quoted)) as string;
  } catch {
    return undefined;
  }
}
