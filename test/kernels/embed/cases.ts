export interface EmbedCase {
  readonly vocab: number;
  readonly width: number;
  readonly tokens: readonly number[];
  /** Most rows of a part of the table. */
  readonly partRows?: number;
}

export const EMBED_CASES: readonly EmbedCase[] = [
  { vocab: 105, width: 36, tokens: [104] },
  { vocab: 105, width: 64, tokens: [0, 104, 7, 7, 51] },
  { vocab: 105, width: 172, tokens: [0, 39, 40, 41, 79, 80, 104], partRows: 40 },
  { vocab: 33, width: 600, tokens: Array.from({ length: 33 }, (_, i) => (i * 7) % 33), partRows: 16 },
];
