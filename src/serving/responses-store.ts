import type { ChatMessage } from '../engine/api.js';

/** Responses that are kept, and characters of JSON of all of them together. */
const MOST_RESPONSES = 1000;
const MOST_CHARACTERS = 64 << 20;

export interface StoredResponse {
  /** What the client was sent. */
  readonly response: object;
  /** The conversation up to and with the reply, without instructions. */
  readonly messages: readonly ChatMessage[];
}

/** The last responses, in memory, for those that go on from them; the oldest are forgotten. */
export class ResponsesStore {
  readonly #kept = new Map<string, StoredResponse & { readonly size: number }>();
  #characters = 0;

  get(id: string): StoredResponse | undefined {
    return this.#kept.get(id);
  }

  keep(id: string, stored: StoredResponse): void {
    const size = sizeOf(stored);
    this.delete(id);
    this.#kept.set(id, { ...stored, size });
    this.#characters += size;
    while (this.#kept.size > MOST_RESPONSES || (this.#characters > MOST_CHARACTERS && this.#kept.size > 0)) {
      this.delete(this.#kept.keys().next().value!);
    }
  }

  /** @returns whether it was there */
  delete(id: string): boolean {
    this.#characters -= this.#kept.get(id)?.size ?? 0;
    return this.#kept.delete(id);
  }
}

/** About as many characters as its JSON has. By hand, since writing megabytes would keep others waiting. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 8;
  let size = 2;
  if (Array.isArray(value)) for (const item of value) size += sizeOf(item) + 1;
  else for (const [key, item] of Object.entries(value)) size += key.length + 4 + sizeOf(item);
  return size;
}
