type Builtin = (name: string) => Record<string, (text: string) => unknown> | undefined;

let collect: ((options: { type: 'minor' }) => void) | undefined;

/** Milliseconds in which helper threads finish what a collection or a compilation left to them. */
const PAUSE_MS = 10;

/** Node's way to collect garbage; nothing in a browser, which gives pages none. */
function collector(): typeof collect {
  const { process } = globalThis as { process?: { readonly getBuiltinModule?: Builtin } };
  // Not imported, so that what measures bundles for a browser.
  const builtin = process?.getBuiltinModule;
  builtin?.('node:v8')?.setFlagsFromString('--expose-gc');
  const found = builtin?.('node:vm')?.runInNewContext('gc') as typeof collect;
  return found ?? (() => undefined);
}

/**
 * Collects young garbage where the platform lets one and waits a moment, so that what making prompts and saving results
 * left behind is not cleared away inside the next measurement; what the engine itself leaves behind still is. A
 * collection of everything would leave the process cold: the next TTFT was 9 ms longer on a software driver.
 */
export async function settleMachine(): Promise<void> {
  collect ??= collector();
  collect!({ type: 'minor' });
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
