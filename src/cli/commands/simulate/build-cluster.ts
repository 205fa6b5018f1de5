import { POLICIES } from '../../../scheduler/policies/index.js';
import { parseJson } from '../../../checkpoint/mistakes.js';
import { RidgepointError } from '../../../errors.js';
import type { Model } from '../../../roofline/models/models.js';
import { weightDtype } from '../../../roofline/hardware/precision.js';
import { Predictor } from '../../../roofline/predict/predictor.js';
import { clusterSchema, type ClusterFile, type PoolFile } from '../../../simulator/cluster-file.js';
import type { Cluster, FirstTokenAt, Pool } from '../../../simulator/cluster.js';
import { machinePool, transferOf } from '../../../simulator/machine-pool.js';
import { CompassPrice } from '../../../simulator/price/llmcompass/price.js';
import { LinearPrice } from '../../../simulator/price/linear.js';
import { PredictedPrice } from '../../../simulator/price/predicted.js';
import { plusHost, type StepPrice } from '../../../simulator/price/price.js';
import { findHardware, findModel } from '../predict/subjects.js';
import { readTextFile } from '../../text-file.js';
import { readLinearFit } from '../../../simulator/price/linear-fit.js';
import { refuseSimulate } from './options.js';
import { tablePrice } from './table-price.js';

/** A cluster ready to run, with what else is asked of its parts. */
export interface BuiltCluster {
  readonly cluster: Cluster;
  readonly model: Model;
  /** The predictor of each pool, whatever prices its steps. */
  readonly predictors: ReadonlyMap<string, Predictor>;
  /** The machine that slowdowns are relative to. */
  readonly reference: Pool;
  /** Chips of all pools. */
  readonly chips: number;
}

/** The file of a cluster, in which an option may say otherwise where first tokens count. */
export function withFirstToken(file: ClusterFile, firstTokenAt: FirstTokenAt | undefined): ClusterFile {
  if (firstTokenAt === undefined) return file;
  if (file.transfer === undefined)
    return refuseSimulate('simulate.firstTokenAt', 'asks where prompts and decoding are apart, and here they are not');
  return { ...file, transfer: { ...file.transfer, first_token_at: firstTokenAt } };
}

/** @throws RidgepointError naming the file and the field */
export async function readCluster(path: string): Promise<ClusterFile> {
  const read = clusterSchema.safeParse(parseJson(await readTextFile(path), path));
  if (read.success) return read.data;
  const [{ path: field, message }] = read.error.issues;
  throw new RidgepointError(
    'usage',
    `${path}: ${field.length > 0 ? `${field.join('.')}: ` : ''}${message}; "ridgepoint simulate run --schema" prints the format`,
  );
}

/** @throws RidgepointError when a chip, a model or a price is not known, or weights do not fit */
export async function buildCluster(file: ClusterFile): Promise<BuiltCluster> {
  const model = await findModel(file.model);
  const predictors = new Map<string, Predictor>();
  const pools: Pool[] = [];
  for (const pool of file.pools) {
    if (predictors.has(pool.name))
      throw new RidgepointError('usage', `two pools are called ${pool.name}; give each a name of its own`);
    const predictor = await predictorOf(file, pool, model);
    predictors.set(pool.name, predictor);
    pools.push(await poolOf(file, pool, predictor));
  }
  const { transfer, router, reallocation } = file;
  const [first] = predictors.values();
  return {
    model,
    predictors,
    reference: await referenceOf(file, pools, model),
    chips: file.pools.reduce((sum, { count, chips }) => sum + count * chips, 0),
    cluster: {
      pools,
      router,
      ...(reallocation && {
        reallocation: {
          every: reallocation.every_s,
          predictor: reallocation.predictor,
          drain: reallocation.drain,
        },
      }),
      ...(transfer && {
        transfer: transferOf(first, {
          latency: transfer.latency_ms / 1000,
          mode: transfer.mode,
          overlap: transfer.overlap,
          shared: transfer.shared,
          firstTokenAt: transfer.first_token_at,
        }),
      }),
    },
  };
}

/** A machine that does both phases, of the chips the file names or of its first pool that takes prompts. */
async function referenceOf(file: ClusterFile, pools: readonly Pool[], model: Model): Promise<Pool> {
  const at = file.pools.findIndex(({ role }) => role !== 'decode');
  if (at < 0) throw new RidgepointError('usage', 'no pool takes prompts; give one the role both or prefill');
  // A table that counts what it was asked has not to count what the reference asks.
  if (file.reference === undefined)
    return pools[at].price.outside === undefined
      ? pools[at]
      : poolOf(file, file.pools[at], await predictorOf(file, file.pools[at], model));
  const pool = { ...file.pools[at], ...file.reference, name: 'reference', price: 'predict', kv_tokens: undefined };
  return poolOf(file, pool, await predictorOf(file, pool, model));
}

async function predictorOf(
  { weights, kv }: ClusterFile,
  { name, chip, chips, engine }: PoolFile,
  model: Model,
): Promise<Predictor> {
  const dtype = weightDtype(weights);
  if (dtype === undefined)
    throw new RidgepointError(
      'usage',
      `weights: ${JSON.stringify(weights)} is no format of weights, such as f16 or int4-g32`,
    );
  // A file is a calibration, of whatever machine it was made on.
  const asked = /\.json$/.test(chip) ? { hardware: ['this-machine'], calibration: chip } : { hardware: [chip] };
  const [hardware] = await findHardware(asked);
  if (hardware.chips !== undefined && chips !== 1) {
    throw new RidgepointError(
      'usage',
      `pool ${name}: ${hardware.name} is one row for ${hardware.chips} chips; give it chips: 1`,
    );
  }
  return new Predictor(model, hardware, { weights: dtype, kv, engine, tensorParallel: chips });
}

async function poolOf({ transfer }: ClusterFile, pool: PoolFile, predictor: Predictor): Promise<Pool> {
  const { name, role, count, policy, chunk, depth } = pool;
  return machinePool(predictor, {
    name,
    role,
    count,
    price: plusHost(await priceOf(pool, predictor), pool.host_ms / 1000),
    policy: POLICIES[policy],
    decodeSloMs: pool.decode_slo_ms,
    kvTokens: pool.kv_tokens,
    blockTokens: pool.block_tokens,
    maxSequences: pool.max_sequences,
    stepTokens: pool.max_batch_tokens,
    chunk,
    depth,
    linkBytesPerSecond: transfer?.bytes_per_second_per_chip,
  });
}

/** @throws RidgepointError when a table is absent, or of a format that is not known */
async function priceOf({ name, price, chip }: PoolFile, predictor: Predictor): Promise<StepPrice> {
  if (price === 'predict') return new PredictedPrice(predictor);
  if (price === 'llmcompass') return new CompassPrice(predictor);
  const table = /^table:(.+)$/.exec(price)?.[1];
  if (table !== undefined) return tablePrice(table, predictor, chip);
  const linear = /^linear:(.+)#(.+)#(\d+)$/.exec(price);
  if (linear !== null) {
    const [, path, key, parallel] = linear;
    return new LinearPrice(readLinearFit(parseJson(await readTextFile(path), path), path, key, parallel));
  }
  throw new RidgepointError(
    'usage',
    `pool ${name}: price must be predict, llmcompass, table:FILE or linear:FILE#MODEL#TP, found ${JSON.stringify(price)}`,
  );
}
