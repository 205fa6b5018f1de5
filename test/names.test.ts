import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

/**
 * Names that several files export, each with its own meaning: where a room has its own words for what it is made of, one
 * name fits all of them and nobody imports two. Anything else that two files export is to be joined or renamed.
 */
const SHARED: Readonly<Record<string, string>> = {
  Task: 'of a simulated cluster, of an evaluation',
  facts: 'of what is predicted, a task of an evaluation',
  Choice: 'of a grammar, of a response',
  Declaration: 'of a kernel variant, of a command’s flags',
  DownloadOptions: 'a download each of Node and of a browser',
  Engine: 'the library for Node, and for a browser',
  FetchOptions: 'a download each of Node and of a browser',
  MOST_PARTS: 'of attention over a long context, of a message',
  Machine: 'simulated, and as a server foresees itself',
  Part: 'of a grammar’s text, of a report',
  Place: 'of a Hub’s file, in a simulated cluster, in a file of weights',
  RequestRecord: 'of a server’s journal, of a trace',
  Role: 'of a tensor, of a simulated machine',
  Segment: 'of a graph, of another model’s list of operations',
  Slo: 'of a simulated service, of a server’s promises',
  SloMeasure: 'of a simulated service, of a server’s promises',
  StepPart: 'of a prediction, of a server’s journal',
  Verdict: 'on a published figure, on a trial, on a promise',
  Window: 'of an evaluated text, of a trace',
  Work: 'of a grammar, of simulated machines',
  anyText: 'of JSON, of an option',
  attentionFlops: 'as two documents count them',
  bytes: 'an option’s kind, a printed number',
  declare: 'every command’s, the entry of its folder',
  fetchModel: 'a download each of Node and of a browser',
  generate: 'a command’s run, a route’s',
  generateOptions: 'of commands, of a request',
  isGood: 'by simulated SLOs, by a request’s record',
  literal: 'of JSON, of a pre-tokenizer',
  llama: 'a family of models, a format of tool calls',
  mistral: 'a family of models, a format of tool calls',
  number: 'an option’s kind, a column',
  text: 'of a grammar, an option’s kind, a column',
};

/** What a file declares and exports itself. */
function exportsOf(path: string): string[] {
  const source = ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.Latest);
  return source.statements.flatMap((statement) => {
    const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
    if (modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) !== true) return [];
    const declared = ts.isVariableStatement(statement)
      ? statement.declarationList.declarations.map(({ name }) => name)
      : [(statement as ts.Statement & { readonly name?: ts.Node }).name];
    return declared.flatMap((name) => (name !== undefined && ts.isIdentifier(name) ? [name.text] : []));
  });
}

it('no name is exported by two files of src with different meanings', () => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );
  const homes = new Map<string, Set<string>>();
  for (const file of files) {
    for (const name of exportsOf(join('src', file))) homes.set(name, (homes.get(name) ?? new Set()).add(file));
  }
  expect(homes.size).toBeGreaterThan(2000);
  const twice = [...homes].filter(([name, at]) => at.size > 1 && !Object.hasOwn(SHARED, name));
  expect(twice.map(([name, at]) => `${name}: ${[...at].join(', ')}`)).toEqual([]);
  expect(
    Object.keys(SHARED).filter((name) => (homes.get(name)?.size ?? 0) < 2),
    'no longer shared',
  ).toEqual([]);
});
