/** @typedef {import('./guard.mjs').Guard} Guard */
/** @typedef {{ name: string, process: import('./worker.mjs').EngineProcess }} Engine */
/** @typedef {{ ttftMs: number, tpotMs: number, ids: number[] }} Measured */

/** Token ids that no tokenizer has to agree on: a beginning of sequence, then numbers scattered over the vocabulary. */
export function promptOf(length, vocab) {
  const FIRST = 259; // past the specials and the single bytes
  return Array.from({ length }, (_, i) => (i === 0 ? 1 : FIRST + ((i * 7919) % (vocab - FIRST))));
}

/**
 * One measurement of one engine: the prefill of a long prompt for TTFT, then decoding after a short one for TPOT.
 *
 * @returns {Promise<Measured>}
 */
async function measure({ process }, plan, guard) {
  const prefill = await guard.run(() => process.measure(plan.longPrompt, 1));
  const decode = await guard.run(() => process.measure(plan.shortPrompt, plan.decodeTokens));
  return { ttftMs: prefill.ttftMs, tpotMs: decode.tpotMs, ids: [...prefill.ids, ...decode.ids] };
}

/** Compiles shaders and fills caches at both lengths; engines compile at the first use of a shape. */
export async function warmUp({ process }, plan, guard) {
  await guard.run(() => process.measure(plan.longPrompt, 2));
  await guard.run(() => process.measure(plan.shortPrompt, Math.min(4, plan.decodeTokens)));
}

/**
 * All engines in turn, round after round, so that what changes on the machine meets all of them. Odd rounds go the
 * other way round.
 *
 * @param {Engine[]} engines
 * @returns {AsyncGenerator<Record<string, Measured>>} for each round, by the engine's name
 */
export async function* runRounds(engines, plan, rounds, guard, onMeasured) {
  for (let round = 0; round < rounds; round++) {
    const measured = {};
    for (const engine of round % 2 === 0 ? engines : engines.toReversed()) {
      measured[engine.name] = await measure(engine, plan, guard);
      onMeasured(round, engine.name, measured[engine.name]);
    }
    yield measured;
  }
}
