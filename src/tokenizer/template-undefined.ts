/**
 * `selectattr('tool_calls', 'undefined')` finds the items without that attribute, as in Jinja. The library takes a
 * missing attribute for one that fails every test; while the filter runs, items are given an undefined one.
 */
import { Interpreter } from '@huggingface/jinja';

interface Node {
  readonly type: string;
  readonly operand: Node;
  readonly filter?: {
    readonly callee?: { readonly value?: string };
    readonly args?: readonly { readonly value: string }[];
  };
}
interface Scope {
  lookupVariable(name: string): unknown;
}
interface Patched {
  evaluate(this: unknown, node: Node, scope: Scope): { readonly value?: unknown };
}

const { prototype } = Interpreter as unknown as { prototype: Patched };
const evaluate: (this: unknown, ...rest: Parameters<Patched['evaluate']>) => ReturnType<Patched['evaluate']> =
  Reflect.get(prototype, 'evaluate');

prototype.evaluate = function (node, scope) {
  const { callee, args = [] } = node.type === 'FilterExpression' ? (node.filter ?? {}) : {};
  if ((callee?.value !== 'selectattr' && callee?.value !== 'rejectattr') || args.length < 2) {
    return evaluate.call(this, node, scope);
  }
  const items = evaluate.call(this, node.operand, scope).value;
  const name = args[0].value;
  const lacking = (Array.isArray(items) ? (items as { value?: unknown }[]) : [])
    .map(({ value }) => value)
    .filter((value): value is Map<string, unknown> => value instanceof Map && !value.has(name));
  for (const item of lacking) item.set(name, scope.lookupVariable('\0'));
  try {
    return evaluate.call(this, node, scope);
  } finally {
    for (const item of lacking) item.delete(name);
  }
};
