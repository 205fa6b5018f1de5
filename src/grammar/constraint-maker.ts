import type { TokenVocabulary } from '../tokenizer/vocabulary.js';
import type { ConstraintDescription } from './description.js';
import type { Grammar } from './grammar.js';
import { compileGrammar, type TextConstraint } from './index.js';
import type { TokenConstraint } from './token-constraint.js';
import { TokenPath } from './token-path.js';
import { TokenRules } from './token-rules.js';

/** Grammars that are kept compiled. */
const KEPT = 32;

/** Makes constraints of their descriptions. */
export class ConstraintMaker {
  /** By the grammar's text, the least recently used first. */
  readonly #compiled = new Map<string, TextConstraint>();
  readonly #vocabulary: TokenVocabulary;

  constructor(vocabulary: TokenVocabulary) {
    this.#vocabulary = vocabulary;
  }

  /** @throws RidgepointError ('usage') as `compileGrammar` */
  make(description: ConstraintDescription): TokenConstraint {
    const { size } = this.#vocabulary;
    switch (description.kind) {
      case 'grammar':
        return this.#compile(description.grammar).create();
      case 'rules': {
        const { inner, ...rules } = description;
        return new TokenRules(rules, size, inner && this.make(inner));
      }
      case 'path':
        return new TokenPath(description.ids, size);
    }
  }

  #compile(grammar: Grammar): TextConstraint {
    const key = JSON.stringify(grammar);
    const made = this.#compiled.get(key) ?? compileGrammar(grammar, this.#vocabulary);
    this.#compiled.delete(key); // to be the last to be forgotten
    this.#compiled.set(key, made);
    if (this.#compiled.size > KEPT) this.#compiled.delete(this.#compiled.keys().next().value!);
    return made;
  }
}
