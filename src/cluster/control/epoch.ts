/**
 * A name for a process, of which later ones are greater as text: when it began, to the millisecond, and something of its
 * own.
 */
export function newEpoch(now = Date.now()): string {
  return `${now.toString(36).padStart(9, '0')}-${globalThis.crypto.randomUUID()}`;
}
