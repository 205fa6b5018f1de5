/** Members whose values are of the machine or of the moment: what is kept of them is their type. */
const PASSING =
  /(_ms|_seconds|_at)$|^(adapter|driver|tier|disabled|excluded|tuning|logprob|kv_cache_choice|process_start.*)$/;

/**
 * What a command printed as JSON, as it is kept in `recorded/`: a number to ten digits, since the last ones are those of
 * a machine's arithmetic, and of what passes only the type.
 *
 * @param passing further members of which only the type is kept
 */
export function recorded(output: unknown, passing: RegExp = PASSING): string {
  const kept = (value: unknown, key: string): unknown => {
    if (passing.test(key)) return Array.isArray(value) ? 'array' : value === null ? null : typeof value;
    if (typeof value === 'number') return Number(value.toPrecision(10));
    if (Array.isArray(value)) return value.map((item) => kept(item, ''));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, kept(member, name)]));
  };
  return `${JSON.stringify(kept(output, ''), null, 1)}\n`;
}

/** Nothing passes: predictions have no moment. */
export const NONE = /(?!)/;
