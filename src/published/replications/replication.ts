/**
 * How near ours has to be: `exact` to the last printed digit, `within` a stated share, `shape` in order or sign only,
 * with the numbers shown; `not replicable` is shown for what it is, with the reason.
 */
export type ReplicationClass = 'exact' | 'within' | 'shape' | 'not replicable';

/** One published figure beside ours. */
export interface ReplicatedFigure {
  readonly figure: string;
  /** As printed, which is how exact a figure has to be; a word where an order or a name is published. */
  readonly published: string;
  /** Absent where there is none. */
  readonly ours?: number | string;
  readonly class: ReplicationClass;
  /** For `within`: the largest share ours may differ by. */
  readonly tolerance?: number;
  /** For `shape`: whether what the figure is meant to show holds here. */
  readonly holds?: boolean;
  /** What the difference comes from, or what is compared. */
  readonly why?: string;
  /** Where ours is a time of parts that follow each other, these, in milliseconds; a report draws them. */
  readonly bar?: {
    readonly name: string;
    readonly prefill: number;
    readonly transfer: number;
    readonly decode: number;
  };
}

/** What a replication is given. */
export interface ReplicationTools {
  /** The text of one of its files. */
  readonly read: (file: string) => string;
  /** Lets others have a turn, between two runs of a search. @throws where somebody has asked to stop */
  readonly turn: () => Promise<void>;
  /** Loads that a search for machines has to serve, each drawn anew; default 1. */
  readonly seeds?: number;
}

/** A published run again. */
export interface Replication {
  readonly name: string;
  readonly about: string;
  /** Paths below the folder of data that it needs. */
  readonly files: readonly string[];
  /** It searches, which takes minutes. */
  readonly long?: boolean;
  run(tools: ReplicationTools): readonly ReplicatedFigure[] | Promise<readonly ReplicatedFigure[]>;
}

/** Ours with as many digits as were printed; as it is where it is a word, or where no number was. */
export function asPrinted({ published, ours }: Pick<ReplicatedFigure, 'published' | 'ours'>): string {
  if (typeof ours !== 'number') return ours ?? '-';
  if (!Number.isFinite(Number(published))) return Number(ours.toPrecision(4)).toString();
  const point = published.indexOf('.');
  return ours.toFixed(point < 0 ? 0 : published.length - point - 1);
}

/** By which share ours differs; undefined where one of the two is no number. */
export function replicationDifference({
  published,
  ours,
}: Pick<ReplicatedFigure, 'published' | 'ours'>): number | undefined {
  const was = Number(published);
  return typeof ours === 'number' && Number.isFinite(was) && was !== 0 ? ours / was - 1 : undefined;
}

/** Whether a figure is as its class asks; undefined where nothing is asked. */
export function replicates(figure: ReplicatedFigure): boolean | undefined {
  switch (figure.class) {
    case 'exact':
      return asPrinted(figure) === figure.published;
    case 'within':
      return Math.abs(replicationDifference(figure)!) <= figure.tolerance!;
    case 'shape':
      return figure.holds!;
    case 'not replicable':
      return undefined;
  }
}
