import { parse } from './parse.js';
import { render } from './render.js';
import type { Body } from './syntax.js';

/** A Jinja template, as Python's jinja2 renders it with the settings of transformers. */
export class Template {
  readonly #body: Body;

  /** @throws TemplateSyntaxError */
  constructor(source: string) {
    this.#body = parse(source);
  }

  /** @throws TemplateError in the template's words or Python's; RangeError where it asks for more than is allowed */
  render(variables: Readonly<Record<string, unknown>>): string {
    return render(this.#body, variables);
  }
}
