import { Command, type Option } from '@commander-js/extra-typings';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands/index.js';
import { inFlagWords } from '../../src/cli/options/names.js';
import { RidgepointError } from '../../src/errors.js';

describe('the list of commands', () => {
  it.each(COMMANDS)('says of $name what its declaration says', async ({ name, takes, summary, load }) => {
    const program = new Command('ridgepoint');
    const command = program.command(name).summary(summary);
    (await load()).declare(command);
    const help = program.createHelp();
    expect(help.subcommandTerm(command)).toBe(`${name} ${takes}`.trim());
    expect(command.description()).not.toBe('');
    for (const below of command.commands) expect(below.summary(), below.name()).not.toBe('');
  });
});

/** Options of a command and of those below it, `predict sla --ttft` and so on. */
function optionsBelow(command: Command, name: string): [string, Option][] {
  return [
    ...command.options.map((option): [string, Option] => [`${name} ${option.long}`, option]),
    ...command.commands.flatMap((below) => optionsBelow(below as Command, `${name} ${below.name()}`)),
  ];
}

describe('a value that an option cannot have', () => {
  /** None is a number, a list, a time, a size, lengths, a rate, limits or prices; some are no text either. */
  const BAD = ['no such value', '', ' '];

  it.each(COMMANDS)('is refused by the option’s own name: $name', async ({ name, load }) => {
    const command = new Command(name);
    (await load()).declare(command);
    let refused = 0;
    const options = optionsBelow(command, name);
    for (const [what, { long, parseArg }] of options) {
      if (parseArg === undefined) continue;
      for (const text of BAD) {
        try {
          parseArg(text, undefined as never);
        } catch (error) {
          refused++;
          expect(error, what).toMatchObject({ code: 'usage' });
          expect(error, what).toBeInstanceOf(RidgepointError);
          // In the sentence its name comes first, and no other option's before it.
          const words = inFlagWords(error as Error);
          expect(words.match(/--[a-z][a-z-]*/)?.[0], `${what}: ${words}`).toBe(long);
        }
      }
    }
    // Of the others few options have values, and theirs may be any text.
    expect(refused).toBeGreaterThanOrEqual(
      ['generate', 'serve', 'predict', 'simulate', 'bench'].includes(name) ? 10 : 0,
    );
  });
});
