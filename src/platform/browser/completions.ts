/** An idle queue that takes so long to say that it is done is looked at by a clock, in milliseconds. */
const POLLED_MS = 25;
/** How often a queue is prodded while a result is awaited, in milliseconds. */
const PROD_MS = 1;

/**
 * Milliseconds that an idle queue takes to say so: the least of two, as one may wait for something else. What is asked
 * before them ends at a turn of the clock, if there is one, so that each of the two waits for a whole turn.
 */
async function idleMs(queue: GPUQueue): Promise<number> {
  let least = Infinity;
  let from = -Infinity;
  for (let i = 0; i < 3; i++) {
    queue.submit([]);
    await queue.onSubmittedWorkDone();
    const now = performance.now();
    least = Math.min(least, now - from);
    from = now;
  }
  return least;
}

/** Calls back about every millisecond, which nested timers of a browser would make four, while `wanted` says so. */
class Ticker {
  readonly #channel = new MessageChannel();
  #ticking = false;

  readonly #tick: () => void;
  readonly #wanted: () => boolean;

  constructor(tick: () => void, wanted: () => boolean) {
    this.#tick = tick;
    this.#wanted = wanted;
    this.#channel.port1.onmessage = () => this.#turn();
  }

  start(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    this.#next();
  }

  #turn(): void {
    if (!this.#wanted()) {
      this.#ticking = false;
      return;
    }
    this.#tick();
    this.#next();
  }

  #next(): void {
    setTimeout(() => this.#channel.port2.postMessage(0), PROD_MS);
  }
}

/**
 * Sees to it that results are noticed when they are there. A browser that looks after its GPU by a clock, Firefox every
 * 100 ms, does so at once when something is submitted: where an idle queue shows such a clock, nothing is submitted
 * every millisecond while a result is awaited.
 *
 * @returns the device, whose waits prod its queue where that is needed
 */
export async function promptDevice(device: GPUDevice): Promise<GPUDevice> {
  const { queue } = device;
  if ((await idleMs(queue)) < POLLED_MS) return device;
  let awaited = 0;
  const ticker = new Ticker(
    () => queue.submit([]),
    () => awaited > 0,
  );
  const prodding = <T>(work: Promise<T>): Promise<T> => {
    awaited++;
    ticker.start();
    return work.finally(() => awaited--);
  };
  const done = queue.onSubmittedWorkDone.bind(queue);
  queue.onSubmittedWorkDone = () => prodding(done());
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    const map = buffer.mapAsync.bind(buffer);
    buffer.mapAsync = (...range) => prodding(map(...range));
    return buffer;
  };
  return device;
}
