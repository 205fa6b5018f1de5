import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const entry = (root) => join(root, 'dist', 'src', 'cli', 'main.js');

export const isBuilt = (root) => existsSync(entry(root));

/**
 * Runs the command line in this process, which saves starting another.
 *
 * @param {string} root
 * @param {string[]} args
 */
export async function runCli(root, args) {
  if (!isBuilt(root)) {
    console.error(`ridgepoint: the command line is not built: ${entry(root)} is missing; run "npm run build"`);
    process.exit(1);
  }
  process.argv = [process.argv[0], entry(root), ...args];
  await import(pathToFileURL(entry(root)).href);
}

/** Options that are the program's own, not those of a command. */
const OWN_OPTIONS = ['-h', '--help', '-V', '--version'];

/**
 * The arguments of `npm start --` as the command line takes them: without a command they are those of `generate`, and
 * without any the help is shown.
 *
 * @param {string[]} args
 * @param {ReadonlySet<string>} commands
 */
export function startArguments(args, commands) {
  if (args.length === 0) return ['--help'];
  return commands.has(args[0]) || OWN_OPTIONS.includes(args[0]) ? args : ['generate', ...args];
}

/** The commands there are, by the list of the command line itself. */
export async function knownCommands(root) {
  if (!isBuilt(root)) return new Set(['help']);
  const { COMMANDS } = await import(pathToFileURL(join(root, 'dist', 'src', 'cli', 'commands', 'index.js')).href);
  return new Set(['help', ...COMMANDS.map(({ name }) => name)]);
}
