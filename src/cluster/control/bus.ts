/**
 * What carries a message to all who care. Nothing on it is sure to arrive, nor to arrive once; whoever needs to know asks
 * again.
 */
export interface ControlBus {
  /** Whether messages go out and come in at present. */
  readonly connected: boolean;
  /** Bytes of the largest message that is carried. */
  readonly mostBytes: number;
  /** Sends a message, as JSON; does nothing while there is no connection, nor with one that is too large. */
  publish(subject: string, message: object): void;
  subscribe(subject: string, take: (message: unknown) => void): void;
  /** Has `callback` called at each connection, the present one included. */
  onConnected(callback: () => void): void;
  close(): Promise<void>;
}

export const SUBJECTS = {
  /** Workers tell of themselves. */
  announce: 'ridgepoint.announce',
  /** Asks all workers to do so at once. */
  who: 'ridgepoint.who',
  /** Routers tell of themselves. */
  router: 'ridgepoint.router',
  /** What workers are told to do. */
  order: 'ridgepoint.order',
  /** What has come to a worker's cache and what has gone. */
  blocks: 'ridgepoint.blocks',
  /** Asks a worker for all that is in its cache. */
  dump: 'ridgepoint.dump',
} as const;
