/** How long one request may hold the process before others have their turn, in milliseconds. */
const TURN_MS = 8;

let channel: MessageChannel | undefined;
const resumed: (() => void)[] = [];

/** A message to oneself comes after what is waiting; a browser's timers would add milliseconds. */
function byMessage(resume: () => void): void {
  if (channel === undefined) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => resumed.shift()?.();
  }
  resumed.push(resume);
  channel.port2.postMessage(0);
}

/** Resolves when everybody else has had a turn. */
export function othersTurn(): Promise<void> {
  const after = typeof setImmediate === 'function' ? setImmediate : byMessage;
  return new Promise((resolve) => void after(() => resolve()));
}

/** Cuts the work of one request into turns, between which everybody else's is done. */
export class Turns {
  #until = performance.now() + TURN_MS;

  /** Whether the turn is over. */
  get over(): boolean {
    return performance.now() >= this.#until;
  }

  /** Goes on at once while there is time, else after the others. */
  async pause(): Promise<void> {
    if (!this.over) return;
    await othersTurn();
    this.#until = performance.now() + TURN_MS;
  }
}
