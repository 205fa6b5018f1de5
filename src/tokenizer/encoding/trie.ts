import { PairMap } from './pair-map.js';

/** Words by their UTF-16 units, each with a number. */
export class Trie {
  readonly #children: PairMap;
  /** Of each node, the number of the word that ends there, or -1. */
  readonly #values: number[] = [-1];

  /** @param units of all words together, about */
  constructor(units = 16) {
    this.#children = new PairMap(units);
  }

  static readonly root = 0;

  /** Nodes; a node's number is less. */
  get size(): number {
    return this.#values.length;
  }

  /** Of two equal words, the later number stays. Returns the node where the word ends. */
  add(word: string, value: number): number {
    let node = Trie.root;
    for (let i = 0; i < word.length; i++) {
      const unit = word.charCodeAt(i);
      let child = this.#children.get(node, unit);
      if (child < 0) {
        child = this.#values.length;
        this.#children.set(node, unit, child);
        this.#values.push(-1);
      }
      node = child;
    }
    this.#values[node] = value;
    return node;
  }

  /** The node that a unit leads to, or -1. */
  step(node: number, unit: number): number {
    return this.#children.get(node, unit);
  }

  /** The number of the word that ends at a node, or -1. */
  valueAt(node: number): number {
    return this.#values[node];
  }
}
