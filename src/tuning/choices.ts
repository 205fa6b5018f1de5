import type { AttentionChoice } from '../kernels/attention/kernel.js';
import type { KernelChoices } from '../kernels/choices.js';
import { merged, type MatmulChoice, type WidthChoice } from '../kernels/matmul/choice.js';
import { attentionKey, matmulKey, parseParts, type ContestList } from './contests.js';
import { usualWinners, type Contest, type Winners } from './contest.js';
import type { TunedEntry } from './file.js';
import { holdsChoice } from './tune.js';

/** Steps of as many rows as one that won take the same variant up to the next that another won. */
function widthsOf(winners: Winners): WidthChoice[] {
  const rows = Object.entries(winners)
    .map(([id, variant]) => ({ rows: Number(id), variant }))
    .sort((a, b) => a.rows - b.rows);
  return merged(rows);
}

/** What a model's kernels are made of according to entries; the default where there is none that holds. */
export function kernelChoices(list: ContestList, entries: Readonly<Record<string, TunedEntry>>): KernelChoices {
  const byKey = new Map(list.contests.map((contest) => [contest.key, contest]));
  const won = (key: string): { winners: Winners; tuned: boolean } | undefined => {
    const contest = byKey.get(key);
    if (contest === undefined) return undefined;
    const entry = entries[key];
    const tuned = holdsChoice(contest, entry);
    return { winners: tuned ? entry.winners : usualWinners(contest), tuned };
  };
  return {
    matmul: ({ rows, cols, dtype }): MatmulChoice | undefined => {
      const decode = won(matmulKey(list.width, rows, cols, dtype));
      const prefill = won(matmulKey('many', rows, cols, dtype, list.activations)) ?? list.usualPrefill;
      if (decode === undefined || !(decode.tuned || prefill.tuned)) return undefined;
      return { decode: widthsOf(decode.winners), prefill: widthsOf(prefill.winners) };
    },
    get attention(): AttentionChoice | undefined {
      const decode = won(attentionKey('decode', list));
      const prefill = won(attentionKey('prefill', list));
      if (decode === undefined || prefill === undefined || !(decode.tuned || prefill.tuned)) return undefined;
      const { name, splitTokens } = parseParts(Object.values(decode.winners)[0]);
      return { decode: name, splitTokens, prefill: Object.values(prefill.winners)[0] };
    },
  };
}

/** Where measuring chose something else than the default: `matmul few f16 4096x4096: 8 rows vec4`. */
export function departures(contests: readonly Contest[], entries: Readonly<Record<string, TunedEntry>>): string[] {
  return contests.flatMap((contest) => {
    const entry = entries[contest.key];
    if (!holdsChoice(contest, entry)) return [];
    const changed = contest.cases.filter(({ id, usual }) => entry.winners[id] !== usual);
    if (changed.length === 0) return [];
    const words = contest.cases.length === 1 || new Set(Object.values(entry.winners)).size === 1;
    const said = words ? [entry.winners[changed[0].id]] : changed.map(({ id }) => `${id} rows ${entry.winners[id]}`);
    return [`${contest.key}: ${said.join(', ')}`];
  });
}
