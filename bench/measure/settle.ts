import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/** Milliseconds in which helper threads finish what a collection or a compilation left to them. */
const PAUSE_MS = 10;

/**
 * Collects garbage and waits a moment, so that what making prompts and saving results left behind is not cleared away
 * inside the next measurement. What the engine itself leaves behind still is.
 */
export async function settle(): Promise<void> {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
