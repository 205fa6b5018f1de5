// The server of one tree, for main.mjs: tells its port, then its processor time whenever asked.
import { SteppingEngine } from './engine.mjs';

const { InferenceServer, compileGrammar } = await import(process.argv[2]);
const engine = new SteppingEngine();
const server = await InferenceServer.create({ engine, compileGrammar });
const url = await server.listen('127.0.0.1', 0);
process.send({ port: Number(new URL(url).port) });
process.on('message', (asked) => {
  if (asked === 'cpu') process.send(process.cpuUsage());
  else void bare(asked).then((cpu) => process.send(cpu));
});

process.on('disconnect', () => process.exit());

/** Processor time of the same generations without a server. */
async function bare({ streams, tokens }) {
  const before = process.cpuUsage();
  const read = async () => {
    let length = 0;
    for await (const { text } of engine.generate([1, 2, 3], { maxTokens: tokens })) length += text.length;
    return length;
  };
  await Promise.all(Array.from({ length: streams }, read));
  return process.cpuUsage(before);
}
