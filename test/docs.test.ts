import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => `docs/${path.replaceAll('\\', '/')}`),
];
const read = (page: string): string => readFileSync(join(root, page), 'utf8');

/** What a link to a heading ends in, as GitHub makes it. */
const anchorsOf = (page: string): string[] =>
  [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_\s-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );

function leadsSomewhere(page: string, link: string): boolean {
  const [path, anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(root, target))) return false;
  return anchor === undefined || anchorsOf(target).includes(anchor);
}

it('pages link to pages and headings that are there', () => {
  const links = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link]) => ({ page, link }))
      .filter(({ link }) => !/^\w+:/.test(link)),
  );
  expect(links.length).toBeGreaterThan(50);
  expect(links.filter(({ page, link }) => !leadsSomewhere(page, link))).toEqual([]);
});

it('pages name files and folders of the repository that are there', () => {
  const named = pages.flatMap((page) =>
    [...read(page).matchAll(/`((?:src|test|bench|scripts|shaders|models|docs|\.ci)\/[\w./-]+)`/g)]
      .map(([, path]) => ({ page, path }))
      // `NAME` and `FAMILY` are for the reader to fill in.
      .filter(({ path }) => !/\b[A-Z]{3,}\b/.test(path)),
  );
  expect(named.length).toBeGreaterThan(100);
  // A name without an ending may be a file's of TypeScript.
  const isThere = (path: string): boolean => existsSync(join(root, path)) || existsSync(join(root, `${path}.ts`));
  expect(named.filter(({ path }) => !isThere(path))).toEqual([]);
});
