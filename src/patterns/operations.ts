/** What an instruction does; each has operands `a` and `b`. */
export const OP = {
  /** The end of a match, or of what is looked for ahead or behind. */
  accept: 0,
  /** A character of set `a`, then instruction `b`. */
  one: 1,
  /** The same, backwards. */
  oneBehind: 2,
  /** As many characters of set `a` as there are, or fewer, then instruction `b`. */
  many: 3,
  /** Instruction `a`, or else `b`. */
  either: 4,
  /** Whether the next character is of set `a`; the four kinds differ in where and whether not. */
  ahead: 5,
  notAhead: 6,
  behind: 7,
  notBehind: 8,
  /** Whether the instructions from `a` on find something here, then `b`; or whether they do not. */
  finds: 9,
  findsNot: 10,
} as const;
