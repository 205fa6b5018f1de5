/**
 * What each room of `src` may import, beside itself; `docs/architecture.md` has the same table, and a test compares the
 * two. `model (config, operations)` stands for these files of a room alone. `cli` may import everything.
 */
export const rooms = {
  'src/wording.ts': [],
  'src/errors.ts': ['wording'],
  'src/spelling.ts': [],
  'src/statistics.ts': [],
  'src/seed.ts': [],
  'src/patterns': [],
  'src/traffic': ['errors', 'wording', 'statistics', 'seed'],
  'src/gpu': ['errors', 'wording'],
  'src/checkpoint': ['errors', 'wording', 'patterns'],
  'src/quantization': ['errors', 'wording', 'checkpoint'],
  'src/kernels': ['errors', 'gpu', 'quantization'],
  'src/cache': ['gpu', 'kernels (attention/shape)'],
  'src/tokenizer': ['errors', 'wording', 'patterns'],
  'src/grammar': ['errors', 'spelling', 'tokenizer (vocabulary)'],
  'src/model': ['errors', 'wording', 'seed', 'gpu', 'kernels', 'quantization', 'checkpoint', 'cache', 'tokenizer'],
  'src/scheduler': ['errors', 'model (operations)'],
  'src/tuning': ['errors', 'wording', 'gpu', 'kernels', 'quantization', 'checkpoint (float)', 'model'],
  'src/roofline': ['errors', 'model (config, cost, families/index, operations)', 'quantization'],
  'src/simulator': [
    'errors',
    'statistics',
    'traffic',
    'scheduler',
    'model (operations)',
    'roofline (hardware/engines, hardware/families, hardware/memory, predict/predictor)',
  ],
  'src/outlook': ['statistics', 'scheduler', 'model (operations)', 'simulator (event-queue, machine, price/price)'],
  'src/published': ['errors', 'traffic', 'scheduler', 'model (config, operations)', 'roofline', 'simulator'],
  'src/engine': [
    'errors',
    'wording',
    'gpu',
    'kernels',
    'quantization',
    'checkpoint',
    'cache',
    'model',
    'scheduler',
    'tuning',
    'tokenizer',
    'grammar (token-constraint)',
  ],
  'src/platform/node': [
    'errors',
    'wording',
    'gpu',
    'checkpoint',
    'tokenizer (chat)',
    'model (open, pooling)',
    'tuning',
    'roofline (hardware/calibration, hardware/calibration-key)',
    'engine',
    'cluster',
  ],
  'src/platform/browser': [
    'errors',
    'wording',
    'checkpoint',
    'model (config, open)',
    'engine',
    'grammar (index)',
    'serving (fetch)',
  ],
  'src/tools': ['grammar (grammar, text-parameters)'],
  'src/serving': [
    'errors',
    'wording',
    'spelling',
    'statistics',
    'scheduler',
    'simulator (price/price)',
    'outlook',
    'engine (api, scheduling, options/generate-options, options/table)',
    'grammar (grammar, token-path, token-rules)',
    'tools',
  ],
  'src/server': ['errors', 'engine (api)', 'outlook', 'serving', 'platform/node (secrets)'],
  'src/cluster': [
    'errors',
    'wording',
    'cache (block-copy)',
    'kernels (attention/shape)',
    'model (config)',
    'scheduler (block-names, sequence)',
    'engine',
    'grammar (constraint-maker, description)',
  ],
  'src/web': ['platform/browser (index)', 'model (read-config)', 'roofline'],
  'src/index.ts': ['errors', 'engine', 'platform/node'],
};

/** Rooms that must bundle for a browser. */
export const portable = Object.keys(rooms).filter(
  (room) => !['src/platform/node', 'src/server', 'src/index.ts'].includes(room),
);

const files = new Map(Object.keys(rooms).map((path) => [path.replace(/^src\/|\.ts$/g, ''), path]));

/** The paths that an entry of the table stands for. */
function pathsOf(entry) {
  const [, name, list] = /^([\w/-]+)(?: \((.+)\))?$/.exec(entry);
  const path = files.get(name);
  if (path === undefined) throw new Error(`there is no room ${name}`);
  return list === undefined ? [path] : list.split(', ').map((file) => `${path}/${file}.ts`);
}

/** The table as zones of `import-x/no-restricted-paths`. */
export const zones = Object.entries(rooms).map(([room, may]) => ({
  target: room,
  from: '.',
  except: [room, ...may.flatMap(pathsOf), 'node_modules'],
  message: `${room} may import ${may.join(', ') || 'nothing'}: see scripts/lint/rooms.mjs.`,
}));
