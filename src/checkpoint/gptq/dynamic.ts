import { RidgepointError } from '../../errors.js';
import { beginsWith } from '../../patterns/begins-with.js';
import { pythonPattern } from '../../patterns/python.js';
import type { DynamicRule, PackedException, PackedFormat } from '../packed/format.js';
import { printable } from '../source.js';

function fail(message: string): never {
  throw new RidgepointError('checkpoint', message);
}

/** Reads `dynamic`: patterns of names, skipped ones marked by "-:", and what holds for the others. */
export function rulesOf(found: unknown, at: string): { readonly dynamic: readonly DynamicRule[] } | undefined {
  if (found === undefined || found === null || found === false) return undefined;
  if (typeof found !== 'object') return fail(`${at}: "dynamic" must be an object`);
  const dynamic = Object.entries(found).flatMap(([key, settings]): DynamicRule[] => {
    const [, sign, source] = /^([+-]:)?(.*)$/s.exec(key)!;
    const rule = `${at}: "dynamic" ${printable(JSON.stringify(key))}`;
    let fits: DynamicRule['fits'];
    try {
      fits = beginsWith(pythonPattern(source));
    } catch (cause) {
      return fail(`${rule} is no pattern that can be used here: ${printable((cause as Error).message)}`);
    }
    if (sign === '-:') return [{ fits }]; // its tensors say themselves that they are not packed
    const { bits, group_size: groupSize } = (settings ?? {}) as Record<string, unknown>;
    if (bits !== undefined && bits !== 4 && bits !== 8)
      fail(`${rule}: "bits" must be 4 or 8, found ${JSON.stringify(bits)}`);
    const isSize =
      groupSize === undefined || groupSize === -1 || (Number.isInteger(groupSize) && Number(groupSize) > 0);
    if (!isSize) fail(`${rule}: "group_size" must be -1 or at least 1, found ${JSON.stringify(groupSize)}`);
    return [{ fits, bits, groupSize: groupSize as number | undefined }];
  });
  return { dynamic };
}

/** What the rules of a format say of a matrix `name.weight`. */
export function dynamicException({ dynamic, ...all }: PackedFormat, weight: string): PackedException | undefined {
  const name = weight.replace(/\.weight$/, '');
  const rule = dynamic?.find(({ fits }) => fits(name));
  if (rule === undefined) return undefined;
  const { bits = all.bits, groupSize = all.groupSize } = rule;
  return { bits, groupSize: groupSize === -1 ? undefined : groupSize };
}
