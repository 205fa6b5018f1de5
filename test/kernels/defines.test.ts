import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';

const kernels = join(import.meta.dirname, '..', '..', 'src', 'kernels');

/** The members of an object and of objects spread into it that name a define with no comment before it. */
function unexplained(object: ts.Expression, text: string): string[] {
  if (ts.isParenthesizedExpression(object)) return unexplained(object.expression, text);
  if (ts.isConditionalExpression(object)) {
    return [...unexplained(object.whenTrue, text), ...unexplained(object.whenFalse, text)];
  }
  if (ts.isBinaryExpression(object)) return unexplained(object.right, text);
  if (!ts.isObjectLiteralExpression(object)) return [];
  // Of a line of several the first says what they are.
  const lineOf = (node: ts.Node): number => text.slice(0, node.end).split('\n').length;
  return object.properties.flatMap((member, i) => {
    const comments = ts.getLeadingCommentRanges(text, member.getFullStart()) ?? [];
    const shares = i > 0 && lineOf(member) === lineOf(object.properties[i - 1]);
    if (comments.length > 0 || shares) return [];
    if (ts.isSpreadAssignment(member)) return unexplained(member.expression, text);
    return [member.name.getText()];
  });
}

/** Everything in a file that is handed on as defines: by that name, or as the result of `...Defines`. */
function definesIn(file: ts.SourceFile): { seen: number; missing: string[] } {
  const text = file.text;
  const missing: string[] = [];
  let seen = 0;
  const take = (object: ts.Expression | undefined): void => {
    if (object === undefined) return;
    seen++;
    missing.push(...unexplained(object, text));
  };
  const visit = (node: ts.Node, within: boolean): void => {
    if (ts.isPropertyAssignment(node) && /^defines$/.test(node.name.getText())) {
      // A line of its own above `defines` explains what stands behind it on the same line.
      const above = ts.getLeadingCommentRanges(text, node.getFullStart()) ?? [];
      if (above.length === 0) take(node.initializer);
    }
    if (ts.isVariableDeclaration(node) && /^(defines|UNFUSED)$|: Defines/.test(node.getText().split('=')[0].trim())) {
      take(node.initializer);
    }
    const makes = ts.isFunctionDeclaration(node) && /Defines$/.test(node.name?.text ?? '');
    if (ts.isReturnStatement(node) && within) take(node.expression);
    ts.forEachChild(node, (child) => visit(child, within || makes));
  };
  visit(file, false);
  return { seen, missing };
}

it('are explained where they are declared, each define of a shader', () => {
  const paths = readdirSync(kernels, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  let seen = 0;
  for (const path of paths) {
    const text = readFileSync(join(kernels, path), 'utf8');
    const found = definesIn(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
    seen += found.seen;
    expect(found.missing, path).toEqual([]);
  }
  expect(seen).toBeGreaterThan(20);
});
