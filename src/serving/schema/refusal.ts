/** A field that would change the answer and that nothing here follows. */
export interface Refusal {
  readonly why: string;
  /** Values that ask for what happens anyway. */
  readonly neutral: readonly unknown[];
}

export const refusal = (why: string, ...neutral: unknown[]): Refusal => ({ why, neutral });
/** Peers' names for what has another here. */
export const use = (name: string, ...neutral: unknown[]): Refusal =>
  refusal(`not a field of this server; use ${name}`, ...neutral);
export const unsupported = (what: string, ...neutral: unknown[]): Refusal =>
  refusal(`${what} not supported by this server`, ...neutral);
