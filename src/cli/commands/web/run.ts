import { withDefaults } from '../../options/command-table.js';
import { stopSignal } from '../../run.js';
import { remark } from '../../terminal/style.js';
import { WEB, type WebFlags } from './command.js';
import { servePage } from './serve-page.js';

/**
 * Serves the page until it is told to stop, to this machine alone.
 *
 * @returns the exit code
 * @throws RidgepointError where the folder is none or the port is taken
 */
export async function web(flags: WebFlags): Promise<number> {
  const { model: folder, port } = withDefaults(WEB, flags);
  const { url, model, close } = await servePage(port, folder === undefined ? undefined : { folder, by: 'web.model' });
  const query = model === undefined ? '' : `?model=${encodeURIComponent(model)}`;
  remark(`${url}/${query} runs a model in your browser. Ctrl-C stops.`);
  if (!stopSignal.aborted) {
    await new Promise<void>((stopped) => stopSignal.addEventListener('abort', () => stopped(), { once: true }));
  }
  close();
  return 0;
}
