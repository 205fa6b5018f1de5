/** Names of blocks that are remembered of a worker; the oldest are forgotten first. */
const KEPT = 65_536;

/** What each worker is likely to have in its cache: whatever it was sent lately. Advice alone; its own cache decides. */
export class NameSets {
  readonly #sets = new Map<string, Set<string>>();

  add(worker: string, names: readonly string[]): void {
    let set = this.#sets.get(worker);
    if (set === undefined) this.#sets.set(worker, (set = new Set()));
    for (const name of names) {
      set.delete(name); // to be the last to be forgotten
      set.add(name);
    }
    for (const name of set) {
      if (set.size <= KEPT) break;
      set.delete(name);
    }
  }

  /** How many of the first of these a worker is likely to have. */
  beginning(worker: string, names: readonly string[]): number {
    const set = this.#sets.get(worker);
    if (set === undefined) return 0;
    const missing = names.findIndex((name) => !set.has(name));
    return missing < 0 ? names.length : missing;
  }

  forget(worker: string): void {
    this.#sets.delete(worker);
  }
}
