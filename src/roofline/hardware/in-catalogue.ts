import { CATALOGUE } from './catalogue.js';
import type { Hardware } from './hardware.js';

/** The entry whose id has most in common with an adapter's name, its first word included. */
export function inCatalogue(adapter: string): Hardware | undefined {
  const words = new Set(
    adapter
      .toLowerCase()
      .split(/[^a-z0-9]+/)
      .flatMap((word) => [word, word.replace(/gb$/, '')]),
  );
  const shared = ({ id }: Hardware): number => {
    const parts = id.split('-').filter((part) => part !== 'rtx');
    return words.has(parts[0]) ? parts.filter((part) => words.has(part)).length / parts.length : 0;
  };
  const best = CATALOGUE.filter(({ kind }) => kind !== 'proposed').reduce<Hardware | undefined>(
    (best, each) => (shared(each) > (best === undefined ? 0 : shared(best)) ? each : best),
    undefined,
  );
  return best;
}
