/** Longest that a slice of work keeps everything else waiting, in milliseconds. */
const SLICE_MS = 5;

/** Runs steps to their end and lets others have their turn between slices of them. */
export async function inSlices<T>(steps: Generator<void, T>, signal?: AbortSignal): Promise<T> {
  for (let begin = performance.now(); ;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    if (performance.now() - begin < SLICE_MS) continue;
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    begin = performance.now();
  }
}
