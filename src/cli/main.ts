import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { packageRoot } from '../platform/node/package-root.js';
import { addBenchKernels } from './bench-kernels-options.js';
import { addBenchOptions } from './bench-options.js';
import { addBenchServe } from './bench-serve/command.js';
import { addCompareOptions } from './compare-options.js';
import { addEvaluateOptions, type EvaluateFlags } from './evaluate-options.js';
import { addImport, addLedger } from './ledger-options.js';
import { addModelOptions, addSamplingOptions } from './options.js';
import { nonEmpty, promptIds, whole } from './parse.js';
import { addProfileOptions } from './profile-options.js';
import { addQuantizeOptions, type QuantizeFlags } from './quantize-options.js';
import { addPredict } from './predict/command.js';
import { addSimulate } from './simulate/command.js';
import { addTuneOptions } from './tune-options.js';
import { addServeOptions, type ServeFlags } from './serve-options.js';
import { print, tell } from './output.js';
import { EXIT, leave, report, runToExit, watchOutputs } from './run.js';
import { addSpeculationOptions } from './scheduling-options.js';

// Commands are imported when they run, so that --help need not wait for them. Their names stand as plain text in
// `.command('...')`: scripts/cli.mjs reads them from this file as built.

const EXIT_CODES = `
Exit codes:
  0    done
  1    failed: the model, the prompt, the adapter, memory, the network
  2    wrong usage: a command, an option or its value
  130  interrupted with Ctrl-C
`;

const program = new Command('ridgepoint')
  .description('Generates text with Llama models on WebGPU.')
  .version(version(), '-V, --version')
  .showSuggestionAfterError()
  .enablePositionalOptions()
  .exitOverride()
  .configureOutput({ writeOut: print, writeErr: (text) => tell(text), outputError: (text) => tell(oneLine(text)) })
  .addHelpText(
    'after',
    `
Examples:
  ridgepoint generate "Once upon a time"
  ridgepoint chat --model TinyLlama/TinyLlama-1.1B-Chat-v1.0
  ridgepoint devices
${EXIT_CODES}`,
  );

const generateCommand = program
  .command('generate')
  .summary('continue a prompt')
  .description(
    'Continues a prompt. Text goes to standard output, everything else to standard error.\n' +
      'Without a prompt, or with "-", it is read from standard input, less one line end at its end.',
  )
  .argument('[prompt]', 'text to be continued, in quotes')
  .option('--prompt-file <file>', 'read the prompt from a file', nonEmpty('--prompt-file', 'the path of a file'))
  .option('--prompt-ids <ids>', 'token ids such as 1,403,407 instead of text', promptIds)
  .option('--no-echo', 'print the continuation alone, without the prompt before it')
  .option('--json', 'print one JSON object when done, and nothing else')
  .option(
    '--logprobs <n>',
    'with --json: log-probabilities of each token and of the n likeliest',
    whole('--logprobs', 0),
  )
  .option('--timings', 'show where the time went');
addModelOptions(addSpeculationOptions(addSamplingOptions(generateCommand)))
  .addHelpText(
    'after',
    `
A prompt given as ids is printed as its text; a model without a tokenizer prints ids throughout.

Examples:
  ridgepoint generate "Once upon a time" --temperature 0
  echo "One day, a fox" | ridgepoint generate --max-tokens 50 --quiet > story.txt
  ridgepoint generate "The sea" --stop "." --seed 7 --json
  ridgepoint generate --model llama-2-7b --weights synthetic --prompt-ids 1,2,3 --max-tokens 4
${EXIT_CODES}`,
  )
  .action((prompt: string | undefined, flags: object) =>
    runToExit(async () => (await import('./generate.js')).generate(prompt, flags)),
  );

const chatCommand = program
  .command('chat')
  .summary('talk with a chat model')
  .description(
    'Talks with a model through its chat template. Ctrl-C stops a reply, Ctrl-D leaves.\n' +
      'Without a terminal each line of standard input is a message, and replies go to standard output.',
  )
  .option('--system <text>', 'instructions that come before the conversation')
  .option(
    '--chat-template <file>',
    'Jinja chat template to use instead of the model’s own',
    nonEmpty('--chat-template', 'the path of a file'),
  )
  .option('--plain', 'no template: each line typed is continued as text, as the built-in story model wants it');
addModelOptions(addSamplingOptions(chatCommand))
  .addHelpText(
    'after',
    `
Examples:
  ridgepoint chat --model TinyLlama/TinyLlama-1.1B-Chat-v1.0 --system "Answer briefly."
  ridgepoint chat --plain
${EXIT_CODES}`,
  )
  .action((flags: object) => runToExit(async () => (await import('./chat.js')).chat(flags)));

const serveCommand = program
  .command('serve')
  .summary('serve a model over HTTP, as OpenAI’s API')
  .description(
    'Serves a model to many clients at once through the HTTP API of OpenAI: completions and chats, whole or streamed, ' +
      'with /metrics for Prometheus. Logs go to standard output as lines of JSON; no prompt is in them.',
  );
addModelOptions(addServeOptions(serveCommand))
  .addHelpText(
    'after',
    `
SIGTERM or Ctrl-C finishes what runs; a second one ends it.

Examples:
  ridgepoint serve
  ridgepoint serve --model TinyLlama/TinyLlama-1.1B-Chat-v1.0 --port 9000 --max-num-seqs 16
  RIDGEPOINT_API_KEY=secret ridgepoint serve --host 0.0.0.0
${EXIT_CODES}`,
  )
  .action((flags: ServeFlags) => runToExit(async () => (await import('./serve.js')).serve(flags)));

program
  .command('devices')
  .summary('list adapters and what the engine uses of them')
  .description('Lists the adapters of this machine with driver, features, limits and the kernels the engine will use.')
  .option('--adapter <name>', 'only the adapter that this part of a name chooses')
  .option('--json', 'print JSON')
  .action((flags: object) => runToExit(async () => (await import('./devices.js')).devices(flags)));

program
  .command('calibrate')
  .summary('measure what this adapter can do, for predictions')
  .description(
    'Measures memory bandwidth, arithmetic and launch costs of an adapter with kernels built for nothing else, then how ' +
      'far the engine’s own kernels get, and keeps the result where predictions find it.',
  )
  .option('--adapter <name>', 'part of the name of an adapter')
  .option('--ceilings-only', 'leave out the engine’s own kernels')
  .option('--output <file>', 'write the calibration there instead of the cache folder')
  .option('--json', 'print JSON')
  .addOption(new Option('--matrices-from <place>').argParser(Number).hideHelp())
  .action((flags: object) =>
    runToExit(async () => (await import('./calibrate.js')).calibrateCommand(flags, program.version() ?? 'unknown')),
  );

const evaluateCommand = program
  .command('evaluate')
  .summary('measure what a precision costs in accuracy')
  .description(
    'Measures how well a model predicts a text: its perplexity, over windows that slide along the text. Unless told not ' +
      'to, it runs the model in another precision beside it and says how far the two are apart.',
  )
  .argument('<file>', 'a text in UTF-8');
addEvaluateOptions(evaluateCommand)
  .addHelpText(
    'after',
    `
The logits are those of prompts, computed as a prompt's are.

Examples:
  ridgepoint evaluate story.txt --dtype int8
  ridgepoint evaluate stories.txt --documents '<|end|>' --dtype int4 --group-size 32
${EXIT_CODES}`,
  )
  .action((file: string, flags: EvaluateFlags) =>
    runToExit(async () => (await import('./evaluate.js')).evaluate(file, flags)),
  );

const quantizeCommand = program
  .command('quantize')
  .summary('save a checkpoint with fewer bits a weight')
  .description(
    'Quantises a checkpoint as loading with --dtype does and saves it, so that later loads need not: a folder like any ' +
      'other, whose tensors are GPTQ’s.',
  );
addQuantizeOptions(quantizeCommand)
  .addHelpText(
    'after',
    `
Examples:
  ridgepoint quantize ./Llama-2-7b-hf ./Llama-2-7b-int4 --dtype int4
  ridgepoint quantize TinyLlama/TinyLlama-1.1B-Chat-v1.0 ./tiny-int8 --dtype int8 --head-dtype int8
  ridgepoint generate --model ./Llama-2-7b-int4 "The capital of France is"
${EXIT_CODES}`,
  )
  .action((model: string, folder: string, flags: QuantizeFlags) =>
    runToExit(async () => (await import('./quantize.js')).quantize(model, folder, flags, program.version()!)),
  );

addTuneOptions(
  program
    .command('tune')
    .summary('choose the fastest kernels for this adapter')
    .description(
      'Times the variants of each kernel at a model’s sizes, checks their results, and keeps the fastest for later loads.\n' +
        'A GPU does so by itself when it first loads a large model; a driver that runs on the CPU only when asked to.',
    ),
).action((flags: object) => runToExit(async () => (await import('./tune.js')).tuneCommand(flags)));

addLedger(program.command('ledger'));
addImport(program.command('import'));

program
  .command('seeds')
  .summary('published numbers beside ours')
  .description(
    'Lists the numbers that five documents on prefill and decode publish, what our arithmetic gives, and which are wrong.\n' +
      'Fails if a number said to be reproduced or consistent is not, or a direction is predicted the other way.',
  )
  .option('--document <id>', 'only one document, 000 to 004')
  .option('--only <verdict>', 'only reproduced, consistent, predicted, wrong, simulator or other')
  .option('--json', 'print JSON')
  .action((flags: object) => runToExit(async () => (await import('./seeds.js')).seeds(flags)));

addSimulate(
  program
    .command('simulate')
    .summary('simulate serving on machines that are not there')
    .description(
      "Lets the engine's own scheduler serve requests on the predicted clock: of one machine or of many, prompts and " +
        'decoding together or apart.',
    ),
  EXIT_CODES,
);

addPredict(
  program
    .command('predict')
    .summary('predict latency and memory on any hardware')
    .description(
      'Predicts TTFT, TPOT, throughput and memory from the operations of the model and the hardware’s roofline.',
    ),
);

const benchCommand = program
  .command('bench')
  .summary('measure prefill and decode')
  .description(
    'Measures prefill and decode apart: TTFT over prompt lengths, TPOT over context lengths and batches, rows as of ' +
      'llama-bench, and GPU time by operation. Tables go to standard output; the result is kept for "compare".',
  )
  .action((flags: object) => runToExit(async () => (await import('./bench.js')).bench(flags)));
addBenchOptions(benchCommand).addHelpText(
  'after',
  `
Examples:
  ridgepoint bench --quick
  ridgepoint bench --model llama-2-7b --weights synthetic --batches 1,8,32 --output llama.json
  ridgepoint bench --only llama-bench --prompts 512 --gen 128
${EXIT_CODES}`,
);
addBenchServe(benchCommand, EXIT_CODES);

addBenchKernels(benchCommand, (flags) =>
  runToExit(async () => (await import('./bench-kernels.js')).benchKernels(flags)),
);

const compareCommand = program
  .command('compare')
  .summary('measured beside predicted')
  .description(
    'Sets what "bench" measured beside what is predicted for this adapter: by point, by phase and by operation, with ' +
      'what binds each. Without a file it takes the latest result of this machine.',
  )
  .argument('[result]', 'a file that "bench" wrote')
  .action((result: string | undefined, flags: object) =>
    runToExit(async () => (await import('./compare.js')).compare(result, flags)),
  );
addCompareOptions(compareCommand).addHelpText(
  'after',
  `
Examples:
  ridgepoint compare --report report.html
  ridgepoint compare result.json --fail-above 15%
${EXIT_CODES}`,
);

const profileCommand = program
  .command('profile')
  .summary('trace of a prefill and some decode steps')
  .description(
    'Writes a trace that Perfetto opens, recording on the CPU and operations on the GPU, and prints which operations ' +
      'take longest beside what is predicted for them.',
  )
  .action((flags: object) => runToExit(async () => (await import('./profile.js')).profile(flags)));
addProfileOptions(profileCommand).addHelpText(
  'after',
  `
Example:
  ridgepoint profile --prompt 256 --decode 4 --output trace.json
${EXIT_CODES}`,
);

try {
  await program.parseAsync();
} catch (error) {
  watchOutputs();
  if (!(error instanceof CommanderError)) await leave(report(error));
  // Help that was asked for and the version are no errors; help for want of a command is one.
  else await leave(error.exitCode === 0 ? EXIT.ok : EXIT.usage);
}

function version(): string {
  return (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version;
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
