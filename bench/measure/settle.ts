import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: ((options: { type: 'minor' }) => void) | undefined;

/** Milliseconds in which helper threads finish what a collection or a compilation left to them. */
const PAUSE_MS = 10;

/**
 * Collects young garbage and waits a moment, so that what making prompts and saving results left behind is not cleared
 * away inside the next measurement; what the engine itself leaves behind still is. A collection of everything would
 * leave the process cold: the next TTFT was 9 ms longer on a software driver.
 */
export async function settleMachine(): Promise<void> {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as typeof collect;
  }
  collect!({ type: 'minor' });
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
