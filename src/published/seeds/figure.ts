/** A number a document prints, and what our own arithmetic makes of it. */

export const DOCUMENTS = {
  '000':
    'Prefill/Decode-Aware Evaluation of LLM Inference on Emerging AI Accelerators (arXiv 2606.17104, a review page)',
  '001': 'SPAD: Specialized Prefill and Decode Hardware for Disaggregated LLM Inference',
  '002': 'Prefill Is Compute-Bound, Decode Is Memory-Bound: Cut LLM Inference Costs by 3x in 2026 (news)',
  '003': 'mlsysim tutorial: two phases, one request',
  '004': 'Blog on prefill and decode optimisation (Llama 70B, H100)',
} as const;
export type DocumentId = keyof typeof DOCUMENTS;

export const VERDICTS = [
  'reproduced', // by a formula, a model's shape or data that the document does not print beside the number
  'consistent', // one step of arithmetic from other numbers of the document, or a repeat of one
  'predicted', // our own predictor's answer beside it, with the error
  'wrong in the source',
  'needs the simulator',
  'not reproducible here',
] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Verdicts under which ours has to be the published number. */
const SAME: readonly Verdict[] = ['reproduced', 'consistent'];

export interface SeedFigure {
  /** Unique; errors of a source are numbered W1, W2.1, ... */
  readonly id: string;
  readonly document: DocumentId;
  /** Table, figure or section. */
  readonly where: string;
  readonly what: string;
  /** As printed, with its unit: `66.52 ms`. */
  readonly published: string;
  /** In the unit of `published`; a word where a word is published. Absent where nothing can be computed. */
  readonly ours?: () => number | string;
  /** Unit of ours where `published` has no number to take it from. */
  readonly unit?: string;
  /** Decimals to compare, where not those printed; negative for tens and hundreds. */
  readonly decimals?: number;
  /** Ours answers the same question in another unit, so there is no difference to form. */
  readonly otherUnit?: boolean;
  /** The source cuts its digits off instead of rounding. */
  readonly truncated?: boolean;
  readonly verdict: Verdict;
  readonly explanation?: string;
}

// Not the 100 of H100.
const NUMBER = /(?<![\w.,])[-+]?\d[\d,]*(?:\.\d+)?/;
const RANGE = /(?<![\w.,])(\d[\d,]*)–(\d[\d,]*)/;

const valueOf = (text: string) => Number(text.replaceAll(',', ''));

/** The first number in what was published, or of a range the end nearer to ours. */
export function publishedNumber({ published, ours }: SeedFigure): number | undefined {
  const range = RANGE.exec(published);
  if (range !== null) {
    const value = ours?.();
    const [low, high] = [valueOf(range[1]), valueOf(range[2])];
    return typeof value === 'number' ? Math.min(high, Math.max(low, value)) : low;
  }
  const match = NUMBER.exec(published);
  return match === null ? undefined : valueOf(match[0]);
}

/** Decimals that count: those printed, unless the figure says otherwise. */
export function decimalsOf({ published, decimals }: SeedFigure): number {
  return decimals ?? NUMBER.exec(published)?.[0].split('.')[1]?.length ?? 0;
}

/** What stands around the published number, so that ours can be printed alike. */
export function unitOf({ published, unit }: SeedFigure): { before: string; after: string } {
  const match = RANGE.exec(published) ?? NUMBER.exec(published);
  if (match === null) return { before: '', after: unit ?? '' };
  const before = published.slice(0, match.index).endsWith('$') ? '$' : '';
  return { before, after: published.slice(match.index + match[0].length).split(/ \(|,/)[0] };
}

/** Ours printed as the published number is where it is reproduced, else to four digits. */
export function showOurs(figure: SeedFigure): string | undefined {
  const ours = figure.ours?.();
  if (ours === undefined || typeof ours === 'string') return ours;
  const { before, after } = figure.otherUnit ? { before: '', after: figure.unit ?? '' } : unitOf(figure);
  const alike = SAME.includes(figure.verdict) && !figure.truncated;
  const four = Number.isInteger(ours) ? 0 : Math.min(3, Math.max(0, 3 - Math.floor(Math.log10(Math.abs(ours)))));
  const digits = alike ? Math.max(0, decimalsOf(figure)) : four;
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return `${before}${ours.toLocaleString('en-US', format)}${after}`;
}

/** Ours less the published number, before rounding; undefined where there is nothing to subtract. */
export function differenceOf(figure: SeedFigure): number | undefined {
  if (figure.otherUnit) return undefined;
  const ours = figure.ours?.();
  const published = publishedNumber(figure);
  return typeof ours === 'number' && published !== undefined ? ours - published : undefined;
}

/**
 * By how much a prediction misses, of the published number. Latencies that a document gives as a rise (`+8%`) are
 * compared as latencies: 1.05 against 1.08.
 */
export function errorOf(figure: SeedFigure): number | undefined {
  const difference = differenceOf(figure);
  const published = publishedNumber(figure);
  if (figure.verdict !== 'predicted' || difference === undefined || published === undefined) return undefined;
  return /^[+-]\d.*%$/.test(figure.published) ? difference / (100 + published) : difference / published;
}

/** Whether ours is the published number to the printed digit; undefined where there is nothing to compare. */
export function agrees(figure: SeedFigure): boolean | undefined {
  const ours = figure.ours?.();
  if (ours === undefined) return undefined;
  if (typeof ours === 'string') return ours === figure.published;
  const published = publishedNumber(figure);
  if (published === undefined) return undefined;
  const step = 10 ** -decimalsOf(figure);
  const slack = 1e-9 * Math.max(1, Math.abs(published));
  if (!figure.truncated) return Math.abs(ours - published) <= step / 2 + slack;
  const beyond = Math.abs(ours) - Math.abs(published);
  return ours * published >= 0 && beyond >= -slack && beyond < step;
}

/** False only for a figure said to be reproduced or consistent that is not, or a direction predicted the other way. */
export function holds(figure: SeedFigure): boolean {
  if (SAME.includes(figure.verdict)) return agrees(figure) === true;
  return figure.verdict !== 'predicted' || typeof figure.ours?.() !== 'string' || figure.otherUnit || agrees(figure)!;
}
