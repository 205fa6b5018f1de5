/**
 * Evaluates the expressions of a Vega specification from their trees, where making code out of them is forbidden, as by
 * a page's content security policy. Knows what drawings that nobody touches have: no events, no dates, no texts taken
 * apart; what it does not know it names.
 */

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

interface Compiled {
  readonly ast: Node;
}

/** Vega's own functions, scales among them. */
interface Context {
  readonly functions: Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
}

type Item = Record<string, unknown> & { datum?: unknown };

/** What an expression can name. */
interface Scope {
  readonly functions: Context['functions'];
  readonly params: Readonly<Record<string, unknown>>;
  readonly datum?: unknown;
  readonly item?: unknown;
}

const CONSTANTS: Readonly<Record<string, number>> = {
  NaN,
  ...{ E: Math.E, PI: Math.PI, LN2: Math.LN2, LN10: Math.LN10, SQRT2: Math.SQRT2, SQRT1_2: Math.SQRT1_2 },
  ...{ LOG2E: Math.LOG2E, LOG10E: Math.LOG10E, MIN_VALUE: Number.MIN_VALUE, MAX_VALUE: Number.MAX_VALUE },
};

const PLAIN: Readonly<Record<string, (...args: never[]) => unknown>> = {
  isNaN: (value: unknown) => Number.isNaN(value),
  isFinite: (value: unknown) => Number.isFinite(value),
  ...{ abs: Math.abs, ceil: Math.ceil, floor: Math.floor, round: Math.round, sqrt: Math.sqrt },
  ...{ exp: Math.exp, log: Math.log, pow: Math.pow, max: Math.max, min: Math.min },
  ...{ sin: Math.sin, cos: Math.cos, tan: Math.tan, atan2: Math.atan2 },
  clamp: (value: number, low: number, high: number) => Math.max(low, Math.min(high, value)),
  length: (value: { readonly length: number }) => value.length,
};

/** As JavaScript has them: numbers are added, texts joined, `==` converts. */
const BINARY: Readonly<Record<string, (a: never, b: never) => unknown>> = {
  '+': (a: number, b: number) => a + b,
  '-': (a: number, b: number) => a - b,
  '*': (a: number, b: number) => a * b,
  '/': (a: number, b: number) => a / b,
  '%': (a: number, b: number) => a % b,
  '<': (a: number, b: number) => a < b,
  '<=': (a: number, b: number) => a <= b,
  '>': (a: number, b: number) => a > b,
  '>=': (a: number, b: number) => a >= b,
  '===': (a: unknown, b: unknown) => a === b,
  '!==': (a: unknown, b: unknown) => a !== b,
  // eslint-disable-next-line eqeqeq -- the language that is interpreted has it
  '==': (a: unknown, b: unknown) => a == b,
  // eslint-disable-next-line eqeqeq -- likewise
  '!=': (a: unknown, b: unknown) => a != b,
};

const UNARY: Readonly<Record<string, (value: never) => unknown>> = {
  '-': (value: number) => -value,
  '+': (value: unknown) => Number(value),
  '!': (value: unknown) => !value,
};

function evaluate(node: Node, scope: Scope): unknown {
  const of = (part: unknown): unknown => evaluate(part as Node, scope);
  switch (node.type) {
    case 'Literal':
      return node.value;
    case 'Identifier':
      return named(node.name as string, scope);
    case 'MemberExpression': {
      const property = node.property as Node;
      const key = node.computed === true ? of(property) : property.name;
      return (of(node.object) as Record<string, unknown>)[key as string];
    }
    case 'CallExpression':
      return called((node.callee as Node).name as string, node.arguments as readonly Node[], scope);
    case 'ArrayExpression':
      return (node.elements as readonly Node[]).map(of);
    case 'ObjectExpression':
      return Object.fromEntries(
        (node.properties as readonly { readonly key: Node; readonly value: Node }[]).map(({ key, value }) => [
          key.type === 'Literal' ? key.value : key.name,
          of(value),
        ]),
      );
    case 'BinaryExpression':
      return operator(BINARY, node)(of(node.left) as never, of(node.right) as never);
    case 'UnaryExpression':
      return operator(UNARY, node)(of(node.argument) as never);
    case 'LogicalExpression':
      return node.operator === '&&' ? of(node.left) && of(node.right) : of(node.left) || of(node.right);
    case 'ConditionalExpression':
      return of(node.test) ? of(node.consequent) : of(node.alternate);
    default:
      throw new Error(`an expression of a figure has a ${node.type}, which is not known here`);
  }
}

function operator<T>(table: Readonly<Record<string, T>>, node: Node): T {
  const sign = node.operator as string;
  if (Object.hasOwn(table, sign)) return table[sign];
  throw new Error(`an expression of a figure has the operator ${sign}, which is not known here`);
}

function named(name: string, { datum, item, params }: Scope): unknown {
  if (name === 'datum') return datum;
  if (name === 'item') return item;
  return Object.hasOwn(CONSTANTS, name) ? CONSTANTS[name] : params[`$${name}`];
}

function called(name: string, args: readonly Node[], scope: Scope): unknown {
  // Encodings mark functions of their own by a line before the name.
  const plain = name.replace(/^_/, '');
  // Of the two branches one is evaluated.
  if (plain === 'if') return evaluate(evaluate(args[0], scope) ? args[1] : args[2], scope);
  const found = scope.functions[plain] ?? (Object.hasOwn(PLAIN, plain) ? PLAIN[plain] : undefined);
  if (found === undefined) throw new Error(`an expression of a figure calls ${plain}, which is not known here`);
  return Reflect.apply(
    found,
    scope.functions,
    args.map((each) => evaluate(each, scope)),
  );
}

/** Two ends of a mark make its begin and its length, as Vega's own code for encodings does. */
function adjust(item: Item, channels: Readonly<Record<string, unknown>>, mayTurn: boolean): void {
  for (const [from, to, centre, size] of [
    ['x', 'x2', 'xc', 'width'],
    ['y', 'y2', 'yc', 'height'],
  ]) {
    const at = (key: string): number => (item[key] as number | undefined) ?? 0;
    if (to in channels) {
      if (from in channels) {
        if (mayTurn && at(from) > at(to)) [item[from], item[to]] = [item[to], item[from]];
        item[size] = at(to) - at(from);
      } else item[from] = at(to) - at(size);
    }
    if (centre in channels) item[from] = at(centre) - at(size) / 2;
  }
}

/** In place of the part of Vega that makes code; a view is made with it as `expr`, of a specification parsed as `ast`. */
export const interpreter = {
  operator:
    ({ functions }: Context, { ast }: Compiled) =>
    (params: Scope['params']): unknown =>
      evaluate(ast, { functions, params }),
  parameter:
    ({ functions }: Context, { ast }: Compiled) =>
    (datum: unknown, params: Scope['params']): unknown =>
      evaluate(ast, { functions, params, datum }),
  encode(
    { functions }: Context,
    { marktype, channels }: { readonly marktype: string; readonly channels: Readonly<Record<string, Compiled>> },
  ) {
    const mayTurn = ['group', 'image', 'rect'].includes(marktype);
    return (item: Item, params: Scope['params']): number => {
      let changed = 0;
      const scope = { functions, params, datum: item.datum, item };
      for (const [name, { ast }] of Object.entries(channels)) {
        const value = evaluate(ast, scope);
        if (item[name] === value) continue;
        item[name] = value;
        changed = 1;
      }
      if (marktype !== 'rule') adjust(item, channels, mayTurn);
      return changed;
    };
  },
  event: () => (): never => refuse(),
  handler: () => (): never => refuse(),
};

function refuse(): never {
  throw new Error('a figure waits for events, which drawings do not have');
}
