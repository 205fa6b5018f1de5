import { Command, CommanderError, Help } from '@commander-js/extra-typings';
import { COMMANDS } from './commands/index.js';
import { EXIT_CODES } from './options/help.js';
import { EXIT, leave, report, watchOutputs } from './run.js';
import { print, tell } from './terminal/output.js';
import { version } from './version.js';

const NAME = 'ridgepoint';
const TAKES: ReadonlyMap<string, string> = new Map(
  COMMANDS.map(({ name, takes }) => [name, `${name} ${takes}`.trim()]),
);

const program = new Command(NAME)
  .description('Generates text with Llama models on WebGPU.')
  .version(version(), '-V, --version')
  .showSuggestionAfterError()
  .enablePositionalOptions()
  .exitOverride()
  .configureOutput({ writeOut: print, writeErr: (text) => tell(text), outputError: (text) => tell(oneLine(text)) })
  .configureHelp({
    // A command whose declaration is not loaded does not know what it takes.
    subcommandTerm: (command) =>
      (command.parent?.name() === NAME ? TAKES.get(command.name()) : undefined) ?? new Help().subcommandTerm(command),
  })
  .addHelpText(
    'after',
    `
Examples:
  ridgepoint generate "Once upon a time"
  ridgepoint chat --model TinyLlama/TinyLlama-1.1B-Chat-v1.0
  ridgepoint devices
${EXIT_CODES}`,
  );

try {
  const asked = commandIn(process.argv.slice(2));
  for (const { name, summary, load } of COMMANDS) {
    const command = program.command(name).summary(summary);
    if (name === asked) (await load()).declare(command);
  }
  await program.parseAsync();
} catch (error) {
  watchOutputs();
  if (!(error instanceof CommanderError)) await leave(report(error));
  // Help that was asked for and the version are no errors; help for want of a command is one.
  else await leave(error.exitCode === 0 ? EXIT.ok : EXIT.usage);
}

/** The command that arguments name, or ask for the help of. */
function commandIn(args: readonly string[]): string | undefined {
  const [first, second] = args.filter((argument) => !argument.startsWith('-'));
  return first === 'help' ? second : first;
}

/** Commander's complaint as one line like every other. */
function oneLine(text: string): string {
  const message = text
    .trim()
    .replace(/^error: /, '')
    .replace(/^too many arguments for 'generate'.*/, 'the prompt must be one argument: put it in quotes')
    .replace(/\n+/g, ' ')
    .replace(/\.$/, '');
  return `ridgepoint: ${message}; see "ridgepoint --help"\n`;
}
