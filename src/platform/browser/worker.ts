/** The engine's side: a worker, a shared worker, or a module that a page imports. */
import { EngineService } from './service.js';

interface SharedScope {
  onconnect: (event: MessageEvent) => void;
}

/** What a dedicated worker is sent first. */
export interface FirstMessage {
  readonly ridgepoint: MessagePort;
}

/** Serves an engine in the page itself. */
export function serveHere(port: MessagePort): void {
  new EngineService(false).connect(port);
}

const scope: object = globalThis;
if ('onconnect' in scope) {
  const service = new EngineService(true);
  (scope as SharedScope).onconnect = ({ ports }) => service.connect(ports[0]);
} else if (!('document' in scope) && 'postMessage' in scope) {
  const service = new EngineService(false);
  globalThis.onmessage = ({ data }: MessageEvent<FirstMessage>) => service.connect(data.ridgepoint);
}
