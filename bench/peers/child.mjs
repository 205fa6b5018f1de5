// One engine in a process of its own. It answers each request with a measurement and is idle between them.
const [name, settings] = process.argv.slice(2);

process.on('disconnect', () => process.exit(0));

/** Runs one generation; milliseconds from the call, on this process's clock. */
async function measure(engine, { promptIds, tokens }) {
  const ids = [];
  const begin = performance.now();
  let first = begin;
  let last = begin;
  for await (const some of engine.generate(promptIds, tokens)) {
    last = performance.now();
    if (ids.length === 0) first = last;
    ids.push(...some);
  }
  if (ids.length !== tokens) throw new Error(`${name} generated ${ids.length} tokens instead of ${tokens}`);
  return { ids, ttftMs: first - begin, tpotMs: tokens > 1 ? (last - first) / (tokens - 1) : undefined };
}

const failed = (error) => process.send({ error: error?.stack ?? String(error) }, () => process.exit(1));

try {
  const { open } = await import(`./engines/${name}.mjs`);
  const engine = await open(JSON.parse(settings));
  process.on('message', (request) => {
    measure(engine, request).then((result) => process.send({ result }), failed);
  });
  process.send({ result: engine.info });
} catch (error) {
  failed(error);
}
