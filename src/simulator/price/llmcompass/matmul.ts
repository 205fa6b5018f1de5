import { L2_BYTES_PER_CORE, vectorRate, type Architecture } from './architectures.js';

const WORD = 2;
const KIB = 1024;

/** A product of an m x k and a k x n matrix in f16. */
export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Powers of two from `from` on, the last of them at least `to`. */
function sizes(from: number, to: number, most = Infinity): number[] {
  const all: number[] = [];
  for (let size = from; ; size *= 2) {
    all.push(size);
    if (size >= to || size >= most) return all;
  }
}

/**
 * Seconds of products on one chip, in LLMCompass's manner: a tile of the problem lies in the second cache while the next
 * is loaded, its parts go to cores, whose arrays hold what they sum up and have to be filled and drained for each part.
 * The best of the tilings tried counts. A product with one row goes through the vector units.
 */
export class ProductTimes {
  readonly #known = new Map<string, number>();

  readonly #chip: Architecture;
  readonly #bandwidth: number;

  /** @param bandwidth bytes a second of the chip's memory */
  constructor(chip: Architecture, bandwidth: number) {
    this.#chip = chip;
    this.#bandwidth = bandwidth;
  }

  seconds(product: Product): number {
    const { m, n, k } = product;
    const key = `${m},${n},${k}`;
    let seconds = this.#known.get(key);
    if (seconds === undefined) this.#known.set(key, (seconds = this.#best(product)));
    return seconds;
  }

  /** So many of them, which share nothing: one after the other, or as one along k whose parts are written each. */
  batchSeconds({ m, n, k }: Product, count: number): number {
    const apart = count * this.seconds({ m, n, k });
    if (m === 1 || n === 1) return apart;
    const merged = this.seconds({ m, n, k: k * count }) + ((count - 1) * m * n * WORD) / this.#bandwidth;
    return Math.min(apart, merged);
  }

  #best({ m, n, k }: Product): number {
    if (m === 1 || n === 1) {
      const bytes = WORD * (m * k + k * n + m * n);
      return Math.max((2 * m * n * k) / vectorRate(this.#chip), bytes / this.#bandwidth);
    }
    // Half of it, since the next tile is loaded meanwhile.
    const room = (this.#chip.l2MB * KIB * KIB) / 2 / WORD;
    let best = Infinity;
    for (const tileM of sizes(32, m, 4096)) {
      for (const tileN of sizes(32, n, 16_384)) {
        for (const tileK of [...new Set([k, 4096, 1024, 256].map((size) => Math.min(size, k)))]) {
          if (tileM * tileK + tileK * tileN + tileM * tileN > room) continue;
          best = Math.min(best, this.#tiled({ m, n, k }, { m: tileM, n: tileN, k: tileK }));
        }
      }
    }
    return best;
  }

  /** Seconds with one tiling: loading and computing overlap but for the first tile. */
  #tiled({ m, n, k }: Product, tile: Product): number {
    const [alongM, alongN, alongK] = [Math.ceil(m / tile.m), Math.ceil(n / tile.n), Math.ceil(k / tile.k)];
    const [left, right] = [m * k, k * n];
    // With all of k in a tile, one of the two stays while the other passes by; else both are read again and again.
    const read = alongK === 1 ? Math.min(left + alongM * right, right + alongN * left) : alongN * left + alongM * right;
    const io = (WORD * (read + m * n)) / this.#bandwidth;
    const first = (WORD * Math.min(m, tile.m) * tile.k + WORD * tile.k * Math.min(n, tile.n)) / this.#bandwidth;
    const cut = { m: Math.min(m, tile.m), n: Math.min(n, tile.n), k: tile.k };
    const compute = alongM * alongN * alongK * this.#tileSeconds(cut);
    return first + Math.max(io, compute);
  }

  readonly #tiles = new Map<string, number>();

  /** Seconds of the cores for a tile that lies in the second cache. */
  #tileSeconds({ m, n, k }: Product): number {
    const key = `${m},${n},${k}`;
    let seconds = this.#tiles.get(key);
    if (seconds === undefined) this.#tiles.set(key, (seconds = this.#bestCycles({ m, n, k }) / this.#chip.tensorHz));
    return seconds;
  }

  #bestCycles({ m, n, k }: Product): number {
    const { l1KBPerCore } = this.#chip;
    const room = (l1KBPerCore * KIB) / 2 / WORD;
    let best = Infinity;
    for (const coreM of sizes(16, m, 256)) {
      for (const coreN of sizes(16, n, 512)) {
        for (const coreK of sizes(32, k, 2048)) {
          if (coreM * coreK + coreK * coreN + coreM * coreN > room) continue;
          best = Math.min(best, this.#cycles({ m, n, k }, { m: coreM, n: coreN, k: Math.min(coreK, k) }));
        }
      }
    }
    return best;
  }

  #cycles({ m, n, k }: Product, part: Product): number {
    const { cores, lanes, systolic } = this.#chip;
    const [height, width] = systolic;
    const [down, across] = [Math.ceil(m / part.m), Math.ceil(n / part.n)];
    const parts = down * across;
    const atOnce = Math.min(parts, cores);
    // An array keeps height x width sums; what it multiplies enters and leaves it at an angle.
    const folds = Math.ceil(part.m / height) * Math.ceil(Math.ceil(part.n / lanes) / width);
    const compute = folds * (part.k + 2 * height + width - 2);
    const [rows, columns] = [Math.min(down, atOnce), Math.ceil(atOnce / down)];
    const io = (WORD * (rows * part.m * part.k + columns * part.k * part.n)) / (cores * L2_BYTES_PER_CORE);
    return Math.ceil(parts / cores) * Math.ceil(k / part.k) * Math.max(compute, io);
  }
}
