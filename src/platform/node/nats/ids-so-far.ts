import type { NatsBus } from './nats-bus.js';
import { RecordTooLarge, RequestStream } from './request-stream.js';

/** How often it is looked what is to be filed, in milliseconds. */
const LOOK_MS = 1000;
/** So many new ids are filed, or this share of those that were, whichever is more; fewer after so many milliseconds. */
const [LEAST, SHARE, LATEST_MS] = [16, 1 / 8, 5000];

/** Of what would fill a message that was too large, this share is tried next: ids are of different lengths. */
const FITTING = 0.9;

interface IdsRecord {
  readonly id: string;
  /** Of the answer that the ids are of; a request of the same name may have had another. */
  readonly answerId: string;
  /** By choice. */
  readonly choices: readonly (readonly number[])[];
}

interface Answer {
  readonly answerId: string;
  readonly choices: number[][];
  count: number;
  filed: number;
  filedAt: number;
}

/**
 * The ids that answers have so far, filed now and then so that whoever goes on with one need not begin anew. Each time
 * all of them are filed, at distances that grow with the answer, so that a long one costs no more a token than a short
 * one. Nobody waits for it but who leaves, and what is not filed is computed again.
 */
export class IdsSoFar {
  readonly #stream: RequestStream<IdsRecord>;
  readonly #answers = new Map<string, Answer>();
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;

  constructor(bus: NatsBus, now = () => performance.now()) {
    this.#stream = new RequestStream(bus, 'ids');
    this.#now = now;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** Begins to take note of an answer. @param before ids by choice that are filed already */
  open(id: string, answerId: string, before: IdsRecord['choices'] = []): void {
    const choices = before.map((ids) => [...ids]);
    const count = sum(choices);
    this.#answers.set(id, { answerId, choices, count, filed: count, filedAt: this.#now() });
  }

  /** Takes note of ids that a choice has got, beyond those before. */
  got(id: string, choice: number, ids: readonly number[]): void {
    const answer = this.#answers.get(id);
    if (answer === undefined) return;
    while (answer.choices.length <= choice) answer.choices.push([]);
    answer.choices[choice].push(...ids);
    answer.count += ids.length;
  }

  /** What is known of a choice's ids. */
  of(id: string, choice: number): readonly number[] {
    return [...(this.#answers.get(id)?.choices[choice] ?? [])];
  }

  /** What somebody filed of an answer, by choice. @throws Error where the server cannot be reached */
  async find(id: string, answerId: string): Promise<IdsRecord['choices']> {
    const found = await this.#stream.get(id);
    return found?.record.answerId === answerId ? found.record.choices : [];
  }

  /** Forgets an answer, here and where it was filed. */
  async forget(id: string): Promise<void> {
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    if (answer === undefined || answer.filed === 0) return;
    // What is left there is forgotten within the hour.
    await this.#stream.forget(id).catch(() => undefined);
  }

  /** Files what is not filed yet, and resolves when the server has it. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const unfiled = [...this.#answers].filter(([, { count, filed }]) => count > filed);
    await Promise.all(unfiled.map(([id, answer]) => this.#file(id, answer, (record) => this.#stream.set(record))));
  }

  #look(): void {
    const now = this.#now();
    for (const [id, answer] of this.#answers) {
      const fresh = answer.count - answer.filed;
      const isDue = fresh >= Math.max(LEAST, SHARE * answer.filed) || now - answer.filedAt >= LATEST_MS;
      if (fresh > 0 && isDue) void this.#file(id, answer, (record) => this.#stream.tell(record));
    }
  }

  /** Files all ids of an answer, or of each choice's beginning what the server takes. */
  async #file(id: string, answer: Answer, file: (record: IdsRecord) => Promise<void>): Promise<void> {
    const { answerId } = answer;
    let choices: IdsRecord['choices'] = answer.choices;
    answer.filed = answer.count;
    answer.filedAt = this.#now();
    for (;;) {
      try {
        return await file({ id, answerId, choices });
      } catch (error) {
        if (!(error instanceof RecordTooLarge) || sum(choices) === 0) return;
        const share = (FITTING * error.most) / error.bytes;
        choices = choices.map((ids) => ids.slice(0, Math.floor(share * ids.length)));
      }
    }
  }
}

const sum = (choices: IdsRecord['choices']): number => choices.reduce((count, ids) => count + ids.length, 0);
