/** Columns of a row that share a scale. */
export const GROUP_SIZES = [32, 64, 128] as const;
export type GroupSize = (typeof GROUP_SIZES)[number];

/** How unsigned whole numbers stand for weights: `weight = scale * (quant - zero)`, scale and zero shared by a group. */
export interface QuantFormat {
  readonly bits: 4 | 8;
  readonly group: GroupSize;
  /** The zero is the middle of the quants, 8 or 128, in every group; else each group has its own. */
  readonly symmetric: boolean;
}

/** A format by name: `int4-g32` is symmetric, `int4-g32-zp` has zero points. */
export type QuantizedDtype = `int${4 | 8}-g${GroupSize}${'' | '-zp'}`;

export function formatName({ bits, group, symmetric }: QuantFormat): QuantizedDtype {
  return `int${bits}-g${group}${symmetric ? '' : '-zp'}`;
}

const FORMATS: ReadonlyMap<string, QuantFormat> = new Map(
  ([8, 4] as const).flatMap((bits) =>
    GROUP_SIZES.flatMap((group) =>
      [true, false].map((symmetric) => {
        const format: QuantFormat = { bits, group, symmetric };
        return [formatName(format), format] as const;
      }),
    ),
  ),
);

/** Every format's name. */
export const QUANTIZED_DTYPES = [...FORMATS.keys()] as readonly QuantizedDtype[];

/** The format of that name; undefined where the name is no format's. */
export function quantFormat(name: QuantizedDtype): QuantFormat;
export function quantFormat(name: string): QuantFormat | undefined;
export function quantFormat(name: string): QuantFormat | undefined {
  return FORMATS.get(name);
}

/** Smallest and largest quant. Symmetric formats leave the lowest unused, so that both signs reach equally far. */
export function quantRange({ bits, symmetric }: QuantFormat): { least: number; most: number } {
  return { least: symmetric ? 1 : 0, most: 2 ** bits - 1 };
}

/** The zero of a symmetric format, in the middle of its range. */
export function middleOf({ bits }: Pick<QuantFormat, 'bits'>): number {
  return 2 ** (bits - 1);
}

/** Groups of a row; the last may be a part of one. */
export function groupsOf(columns: number, { group }: Pick<QuantFormat, 'group'>): number {
  return Math.ceil(columns / group);
}

/**
 * 32-bit words of a row's scales. A symmetric format has the f16 scales of two groups in a word, the first in the low
 * half; one with zero points the scale in the low half and the zero, as f16 too, in the high one.
 */
export function scaleWords(columns: number, format: QuantFormat): number {
  const groups = groupsOf(columns, format);
  return format.symmetric ? Math.ceil(groups / 2) : groups;
}

/** Bytes of a row's quants and scales together. @param columns padded to a multiple of 8 */
export function quantizedRowBytes(columns: number, format: QuantFormat): number {
  return (columns * format.bits) / 8 + 4 * scaleWords(columns, format);
}
