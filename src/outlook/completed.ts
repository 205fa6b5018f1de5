/** The end of work that may be left now and then, without ever leaving it. */
export function completed<T>(work: Generator<undefined, T, undefined>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
