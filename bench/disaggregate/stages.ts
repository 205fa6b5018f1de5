import { addressText } from '../../src/cluster/address.js';
import type { CoreEngine } from '../../src/engine/engine.js';
import { WorkerPort } from '../../src/platform/node/wire/port.js';
import { RemoteSource } from '../../src/platform/node/wire/remote.js';
import type { AdapterPair } from './plan.js';
import { Relay } from './relay.js';
import { StepLog } from './stage.js';

/** An engine and the times of its steps. */
export interface Stage {
  readonly engine: CoreEngine;
  readonly log: StepLog;
}

interface PairedStage {
  readonly prefill: Stage;
  readonly decode: Stage;
  readonly relay: Relay;
  readonly source: RemoteSource;
}

/** Loads an engine. @param adapter part of its name @param isPrefill whether it is to compute prompts for others */
export type LoadStage = (adapter: string, isPrefill: boolean, onStep: StepLog['onStep']) => Promise<CoreEngine>;

/** The engines of all pairs, each pair joined by a link that can be shaped. */
export class Stages {
  readonly prefills = new Map<string, Stage>();
  readonly decodes = new Map<string, Stage>();
  readonly #pairs = new Map<string, PairedStage>();
  readonly #ports: WorkerPort[] = [];

  private constructor() {}

  /** @throws RidgepointError where a model cannot be loaded, Error where two engines cannot exchange keys and values */
  static async load(pairs: readonly AdapterPair[], load: LoadStage): Promise<Stages> {
    const stages = new Stages();
    const stageOf = async (all: Map<string, Stage>, adapter: string, isPrefill: boolean): Promise<Stage> => {
      const known = all.get(adapter);
      if (known !== undefined) return known;
      const log = new StepLog();
      const stage = { engine: await load(adapter, isPrefill, log.onStep), log };
      all.set(adapter, stage);
      return stage;
    };
    const ports = new Map<string, number>();
    for (const pair of pairs) {
      const prefill = await stageOf(stages.prefills, pair.prefill, true);
      const decode = await stageOf(stages.decodes, pair.decode, false);
      const port = ports.get(pair.prefill) ?? (await stages.#listen(prefill.engine));
      ports.set(pair.prefill, port);
      const relay = await Relay.open(port);
      const source = new RemoteSource(decode.engine, { address: { host: '127.0.0.1', port: relay.port } });
      await source.connect();
      stages.#pairs.set(keyOf(pair), { prefill, decode, relay, source });
    }
    return stages;
  }

  pair(pair: AdapterPair): PairedStage {
    return this.#pairs.get(keyOf(pair))!;
  }

  /** Who answers alone on an adapter. */
  alone(adapter: string): Stage {
    return this.decodes.get(adapter) ?? this.prefills.get(adapter)!;
  }

  /** Ends the links; engines are the caller's. */
  async close(): Promise<void> {
    for (const { relay, source } of this.#pairs.values()) {
      await source.close();
      await relay.close();
    }
    await Promise.all(this.#ports.map((port) => port.close()));
  }

  async #listen(engine: CoreEngine): Promise<number> {
    const port = await WorkerPort.create(engine, { role: 'prefill' });
    this.#ports.push(port);
    const at = await port.listen({ host: '127.0.0.1', port: 0 });
    if ('path' in at) throw new Error(`${addressText(at)} has no port`);
    return at.port;
  }
}

const keyOf = ({ prefill, decode }: AdapterPair): string => JSON.stringify([prefill, decode]);
