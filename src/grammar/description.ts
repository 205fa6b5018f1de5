import type { Grammar } from './grammar.js';

/** A constraint as data, so that another process can make the same; see `ConstraintMaker`. */
export type ConstraintDescription =
  /** Texts of a form. */
  | { readonly kind: 'grammar'; readonly grammar: Grammar }
  /** As `TokenRules`. */
  | {
      readonly kind: 'rules';
      /** The only ids that may come; any where absent. */
      readonly allowed?: readonly number[];
      /** Ids that must not follow one another; a list of one must not come at all. */
      readonly never: readonly (readonly number[])[];
      readonly inner?: ConstraintDescription;
    }
  /** These ids, from the second on, and no others. */
  | { readonly kind: 'path'; readonly ids: readonly number[] };
