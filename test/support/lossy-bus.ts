import type { ControlBus } from '../../src/cluster/control/bus.js';

/** A bus that forgets, repeats and keeps back what a test has it. */
export class LossyBus implements ControlBus {
  readonly connected = true;
  mostBytes = Infinity;
  readonly #takers = new Map<string, ((message: unknown) => void)[]>();
  readonly kept: { readonly subject: string; readonly message: unknown }[] = [];
  fate: 'pass' | 'lose' | 'twice' | 'keep' = 'pass';

  publish(subject: string, message: object): void {
    const text = JSON.stringify(message);
    if (text.length > this.mostBytes) throw new RangeError(`${text.length} bytes are too many`);
    const copy: unknown = JSON.parse(text);
    if (this.fate === 'lose') return;
    if (this.fate === 'keep') this.kept.push({ subject, message: copy });
    else for (let times = this.fate === 'twice' ? 2 : 1; times > 0; times--) this.#pass(subject, copy);
  }

  subscribe(subject: string, take: (message: unknown) => void): void {
    this.#takers.set(subject, [...(this.#takers.get(subject) ?? []), take]);
  }

  /** What was kept back comes now, late. */
  release(): void {
    for (const { subject, message } of this.kept.splice(0)) this.#pass(subject, message);
  }

  onConnected(callback: () => void): void {
    callback();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #pass(subject: string, message: unknown): void {
    for (const take of this.#takers.get(subject) ?? []) take(message);
  }
}
