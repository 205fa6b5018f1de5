/** What is handed to a function, a filter or a test. */
export interface Args {
  readonly positional: readonly Expr[];
  readonly named: readonly (readonly [string, Expr])[];
  /** `*list` and `**dictionary`. */
  readonly spread?: Expr;
  readonly spreadNamed?: Expr;
}

export type Expr =
  | { readonly type: 'const'; readonly value: unknown }
  | { readonly type: 'name'; readonly name: string }
  | { readonly type: 'list' | 'tuple'; readonly items: readonly Expr[] }
  | { readonly type: 'dict'; readonly entries: readonly (readonly [Expr, Expr])[] }
  | { readonly type: 'unary'; readonly op: 'not' | '-' | '+'; readonly operand: Expr }
  | { readonly type: 'binary'; readonly op: string; readonly left: Expr; readonly right: Expr }
  | { readonly type: 'compare'; readonly first: Expr; readonly rest: readonly (readonly [string, Expr])[] }
  | { readonly type: 'cond'; readonly test: Expr; readonly yes: Expr; readonly no: Expr | undefined }
  | { readonly type: 'attr'; readonly of: Expr; readonly name: string }
  | { readonly type: 'item'; readonly of: Expr; readonly index: Expr }
  | { readonly type: 'slice'; readonly bounds: readonly (Expr | undefined)[] }
  | { readonly type: 'call'; readonly callee: Expr; readonly args: Args }
  | { readonly type: 'filter'; readonly of: Expr; readonly name: string; readonly args: Args }
  | { readonly type: 'test'; readonly of: Expr; readonly name: string; readonly args: Args };

export type Param = readonly [name: string, fallback: Expr | undefined];

export type Statement =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'print'; readonly value: Expr }
  | ForStatement
  | {
      readonly type: 'if';
      readonly branches: readonly (readonly [Expr, readonly Statement[]])[];
      readonly otherwise: readonly Statement[];
    }
  | { readonly type: 'set'; readonly target: Expr; readonly value: Expr }
  | { readonly type: 'capture'; readonly target: Expr | undefined; readonly value: Expr; readonly body: Body }
  | MacroStatement
  | { readonly type: 'call'; readonly params: readonly Param[]; readonly call: Expr; readonly body: Body }
  | { readonly type: 'with'; readonly values: readonly (readonly [Expr, Expr])[]; readonly body: Body }
  | { readonly type: 'group'; readonly body: Body }
  | { readonly type: 'break' | 'continue' };

export type Body = readonly Statement[];

export interface ForStatement {
  readonly type: 'for';
  readonly target: Expr;
  readonly over: Expr;
  readonly only: Expr | undefined;
  readonly recursive: boolean;
  readonly body: Body;
  readonly otherwise: Body;
}

export interface MacroStatement {
  readonly type: 'macro';
  readonly name: string;
  readonly params: readonly Param[];
  readonly body: Body;
}

/** The name that stands for the text of a block while its filters run. */
export const CAPTURED = '\0';
