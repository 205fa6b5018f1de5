import { RidgepointError } from '../../errors.js';
import type { Capabilities } from '../../gpu/capabilities.js';
import type { MatmulNeed, MatmulVariant } from './kernel.js';
import { tileSeconds } from './tile-time.js';
import { runsOn, selectVariant } from '../variant.js';

/** Which variant takes steps of at most so many rows of its phase. */
export interface WidthChoice {
  readonly rows: number;
  readonly variant: string;
}

/** The variants of one matmul by name, as measuring or a default chose them. */
export interface MatmulChoice {
  /**
   * For decode, by rising number of rows; steps of more rows than the last run in several groups of it. All have one
   * order of sums, so that a sequence's numbers do not depend on who decodes beside it.
   */
  readonly decode: readonly WidthChoice[];
  /** For prefill, likewise: tiles of one order of sums. */
  readonly prefill: readonly WidthChoice[];
}

export interface MatmulVariants {
  readonly decode: readonly MatmulVariant[];
  readonly prefill: readonly MatmulVariant[];
}

export interface SelectedWidth {
  readonly rows: number;
  readonly variant: MatmulVariant;
}

/** Neither is ever empty; by rising `rows`. */
export interface MatmulSelection {
  readonly decode: readonly SelectedWidth[];
  readonly prefill: readonly SelectedWidth[];
}

/** Rows of prompts, and of the rest of one, that have a tile of their own; more rows take the last one's. */
export const PROMPT_ROWS: readonly number[] = [128, 256, 512, 2048];

/** So much faster another tile has to be estimated to take the place of the one for long prompts. */
const CLEARLY_FASTER = 1.1;

/** The choice for so many rows. */
export const chosenFor = (choices: readonly WidthChoice[], rows: number): string =>
  (choices.find((each) => rows <= each.rows) ?? choices[choices.length - 1]).variant;

/** Of the order of sums of the first, the tile that fills a large GPU best with so many rows. */
function usualTile([first, ...others]: readonly MatmulVariant[], { n, k }: MatmulNeed, rows: number): string {
  const { tile } = first;
  if (tile === undefined) return first.name;
  let best = { name: first.name, seconds: tileSeconds(tile, rows, n, k) / CLEARLY_FASTER };
  for (const { name, tile, ...each } of others) {
    if (tile === undefined || orderOf({ name, ...each }) !== orderOf(first)) continue;
    const seconds = tileSeconds(tile, rows, n, k);
    if (seconds < best.seconds) best = { name, seconds };
  }
  return best.name;
}

/** Without those whose rows the next takes too. */
export const merged = (choices: readonly WidthChoice[]): WidthChoice[] =>
  choices.filter(({ variant }, i) => variant !== (choices[i + 1] as WidthChoice | undefined)?.variant);

/**
 * An engine in which at most so many sequences decode together may take other kernels for few rows than one of more:
 * what serves one row best and what serves 32 add in different orders, and a sequence has one order.
 */
export const FEW_SEQUENCES = 4;

/** The order in which a variant adds; one that states none has an order of its own. */
export const orderOf = ({ order, name }: Pick<MatmulVariant, 'order' | 'name'>): string => order ?? name;

/** The variants that an adapter can run. */
export function runnableMatmuls({ decode, prefill }: MatmulVariants, capabilities: Capabilities): MatmulVariants {
  const runs = (variant: MatmulVariant): boolean => runsOn(variant, capabilities);
  return { decode: decode.filter(runs), prefill: prefill.filter(runs) };
}

/**
 * What is used where nothing was measured: of the order of sums of the first that suits the first of each width.
 *
 * @throws RidgepointError when there is none
 */
export function defaultMatmulChoice({ decode, prefill }: MatmulVariants, need: MatmulNeed): MatmulChoice {
  if (decode.length === 0 || prefill.length === 0) {
    throw new RidgepointError('adapter', 'this adapter can run no variant of matmul');
  }
  const usual = decode.filter((variant) => variant.usual?.(need) ?? true);
  const suit = usual.length > 0 ? usual : decode; // a driver may be trusted with none of the usual ones
  const first = new Map<number, string>();
  for (const variant of suit) {
    const { name, rowsPerGroup } = variant;
    if (orderOf(variant) !== orderOf(suit[0]) || first.has(rowsPerGroup)) continue;
    first.set(rowsPerGroup, name);
  }
  const widths = [...first].map(([rows, variant]) => ({ rows, variant })).sort((a, b) => a.rows - b.rows);
  const tiles = PROMPT_ROWS.map((rows) => ({ rows, variant: usualTile(prefill, need, rows) }));
  return { decode: widths, prefill: merged(tiles) };
}

/**
 * The variants a choice names, or those used by default.
 *
 * @throws Error where it names what this adapter cannot run, or mixes orders of sums in decode: whoever made the choice
 * has to see to that
 */
export function selectMatmul(
  all: MatmulVariants,
  capabilities: Capabilities,
  need: MatmulNeed,
  choice?: MatmulChoice,
): MatmulSelection {
  const runnable = runnableMatmuls(all, capabilities);
  const { decode, prefill } = choice ?? defaultMatmulChoice(runnable, need);
  const widthsOf = (phase: string, list: readonly MatmulVariant[], chosen: readonly WidthChoice[]): SelectedWidth[] => {
    const widths = chosen.map(({ rows, variant }) => ({
      rows,
      variant: selectVariant('matmul', list, capabilities, variant),
    }));
    if (widths.length === 0) throw new Error(`a matmul needs a variant for ${phase}`);
    const orders = new Set(widths.map(({ variant }) => orderOf(variant)));
    if (orders.size > 1) throw new Error(`${phase} variants of different orders of sums: ${[...orders].join(', ')}`);
    return widths;
  };
  return {
    decode: widthsOf('decode', runnable.decode, decode),
    prefill: widthsOf('prefill', runnable.prefill, prefill),
  };
}
