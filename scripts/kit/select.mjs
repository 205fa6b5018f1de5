// What goes into the kit: the parts of packing that touch no disk.

const MiB = 1024 * 1024;

/** All files of the kit and of the checkout together may be no larger: where they travel together, 64 MiB are the most. */
export const KIT_LIMIT = 60 * MiB;

/** Only read by people and compilers. Licences have no such ending, or are kept by name. */
const UNUSED_ENDING = /\.(d\.[cm]?ts|[cm]?ts|map|md|markdown|flow|tsbuildinfo)$/i;
const LICENCE = /(^|\/)(licen[cs]e|copying|notice)[^/]*$/i;
const UNUSED_FOLDER = /^(test|tests|__tests__|docs|doc|example|examples|\.github)\//i;

/**
 * Whether a file of an installed package is needed to run it.
 *
 * @param {string} path inside the package's folder, with slashes
 */
export function isNeeded(path) {
  if (LICENCE.test(path)) return true;
  return !UNUSED_ENDING.test(path) && !UNUSED_FOLDER.test(path) && !path.startsWith('node_modules/');
}

/** The machine the kit is for. */
const TARGET = { os: 'linux', cpu: 'x64', libc: 'glibc' };

/**
 * The installed packages that some packages need to run, themselves included: what the lock file says, without peers
 * and without what is for another platform.
 *
 * @param {{ packages: Record<string, object> }} lock a package-lock.json of version 2 or 3
 * @param {readonly string[]} names of packages, looked for at the top
 * @param {{ alone?: ReadonlySet<string>, exists?: (folder: string) => boolean }} [options] `alone`: names of packages
 *   whose own needs are left out; `exists`: whether a folder is installed, as optional packages may not be
 * @returns {string[]} folders, such as `node_modules/zod`, sorted
 */
export function packageFolders(lock, names, { alone = new Set(), exists = () => true } = {}) {
  const found = new Set();
  const visit = (name, from, optional) => {
    const folder = resolve(lock, name, from);
    if (folder === undefined) {
      if (optional) return;
      throw new Error(`${name}, needed by ${from || 'the kit'}, is not in package-lock.json`);
    }
    const entry = lock.packages[folder];
    if (found.has(folder) || !fits(entry)) return;
    if (!exists(folder)) {
      if (optional || entry.optional) return;
      throw new Error(`${folder} is in package-lock.json and not installed; run "npm run setup"`);
    }
    found.add(folder);
    if (alone.has(name)) return;
    for (const need of Object.keys(entry.dependencies ?? {})) visit(need, folder, false);
    for (const need of Object.keys(entry.optionalDependencies ?? {})) visit(need, folder, true);
  };
  names.forEach((name) => visit(name, '', false));
  return [...found].sort();
}

/** As Node does: the nearest `node_modules` on the way up that holds the package. */
function resolve(lock, name, from) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules') - 1))) {
    const folder = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (lock.packages[folder]) return folder;
    if (at === '') return undefined;
  }
}

function fits(entry) {
  return Object.entries(TARGET).every(([field, value]) => {
    const listed = entry[field];
    if (listed === undefined) return true;
    return listed.includes(value) || (listed.every((one) => one.startsWith('!')) && !listed.includes(`!${value}`));
  });
}

/**
 * The TypeScript files under `test/` that some tests are made of, themselves included.
 *
 * @param {readonly string[]} tests paths inside the project
 * @param {(path: string) => readonly string[]} importsOf a file's imported names as written
 * @returns {{ files: string[], packages: string[] }} sorted; `packages` are the npm packages they import
 */
export function testSources(tests, importsOf) {
  const files = new Set();
  const packages = new Set();
  const visit = (path) => {
    if (files.has(path)) return;
    files.add(path);
    for (const name of importsOf(path)) {
      if (name.startsWith('node:')) continue;
      if (!name.startsWith('.')) {
        packages.add(name.split('/', name.startsWith('@') ? 2 : 1).join('/'));
        continue;
      }
      const target = join(path, name).replace(/\.js$/, '.ts');
      // Those of src and bench come from the build.
      if (target.startsWith('test/')) visit(target);
    }
  };
  tests.forEach(visit);
  return { files: [...files].sort(), packages: [...packages].sort() };
}

/** The path a relative import names, as seen from a file. */
function join(file, name) {
  const parts = file.split('/').slice(0, -1);
  for (const part of name.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** @param {number} bytes */
export const inMiB = (bytes) => `${(bytes / MiB).toFixed(1)} MiB`;

/**
 * Adds up the sizes of a kit's files.
 *
 * @param {Record<string, number>} sizes bytes by name
 * @param {number} checkout bytes of the files of the checkout, which travel beside the kit
 * @returns {number} bytes of the kit
 * @throws Error that names the files when they are above `limit` together with the checkout
 */
export function checkSize(sizes, checkout = 0, limit = KIT_LIMIT) {
  const total = Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0);
  if (total + checkout <= limit) return total;
  const list = Object.entries(sizes)
    .sort(([, a], [, b]) => b - a)
    .map(([name, bytes]) => `${name} ${inMiB(bytes)}`);
  const beside = checkout > 0 ? ` with the ${inMiB(checkout)} of the checkout` : '';
  throw new Error(`the kit is ${inMiB(total)}, above its limit of ${inMiB(limit)}${beside}: ${list.join(', ')}`);
}
