import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { serveStatic } from './static-server.js';

type Preferences = Readonly<Record<string, boolean | number | string>>;

/** What an ESR on Linux leaves out, on a driver that it would refuse, and what would ask the network. */
const PREFERENCES: Preferences = {
  'dom.webgpu.enabled': true,
  'gfx.webgpu.ignore-blocklist': true,
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'toolkit.telemetry.reportingpolicy.firstRun': false,
};

/** Asks for functions, runs them, and tells what they give: the browser needs no driver for that. */
const PAGE = `<!doctype html><title>tests</title><script type="module">
window.ridgepoint = await import('/package/dist/browser/index.js');
for (;;) {
  const asked = await fetch('/next', { cache: 'no-store' });
  if (asked.status !== 200) continue;
  const told = {};
  try {
    told.value = await (0, eval)(await asked.text());
  } catch (error) {
    told.error = String(error?.stack ?? error) + ' ' + String(error);
  }
  await fetch('/told', { method: 'POST', body: JSON.stringify(told) });
}
</script>`;

/** A page in a Firefox. */
export interface FirefoxPage {
  /** Runs a function in the page, which sees nothing but its argument. */
  evaluate<A, T>(run: (argument: A) => T | Promise<T>, argument?: A): Promise<T>;
  close(): Promise<void>;
}

const program = ['firefox-esr', 'firefox'].find((name) => spawnSync(name, ['--version']).status === 0);
/** Why there is no Firefox to test with, for the reason of a skipped test. */
export const firefoxMissing = program === undefined ? 'no Firefox is installed; see .ci/install-firefox' : '';

/**
 * Starts a Firefox of its own with a page that has the library as `ridgepoint`.
 *
 * @param folders to serve, by the path they are served under
 * @param others preferences beside, or in place of, those of every test
 * @returns undefined where there is no Firefox
 */
export async function openFirefox(
  folders: Readonly<Record<string, string>>,
  others: Preferences = {},
): Promise<FirefoxPage | undefined> {
  if (program === undefined) return undefined;
  const profile = mkdtempSync(join(tmpdir(), 'ridgepoint-firefox-'));
  const preference = ([name, value]: [string, unknown]): string =>
    `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`;
  writeFileSync(
    join(profile, 'user.js'),
    Object.entries({ ...PREFERENCES, ...others })
      .map(preference)
      .join(''),
  );
  writeFileSync(join(profile, 'page.html'), PAGE);

  let waiting: ServerResponse | undefined;
  let asked: { source: string; tell: (told: { value?: unknown; error?: string }) => void } | undefined;
  const send = (): void => {
    if (waiting === undefined || asked === undefined) return;
    waiting.writeHead(200, { 'content-type': 'text/plain' }).end(asked.source);
    waiting = undefined;
  };
  const answer = (request: IncomingMessage, response: ServerResponse): boolean => {
    if (request.url === '/next') {
      waiting = response;
      send();
      return true;
    }
    if (request.url !== '/told') return false;
    void text(request).then((body) => {
      response.writeHead(204).end();
      const { tell } = asked!;
      asked = undefined;
      tell(JSON.parse(body) as { value?: unknown; error?: string });
    });
    return true;
  };
  const host = await serveStatic({ folders: { ...folders, '/tests/': profile }, answer });
  const browser = spawn(program, ['--headless', '--no-remote', '--profile', profile, `${host.url}/tests/page.html`], {
    stdio: 'ignore',
    env: { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1' },
  });
  const ended = once(browser, 'exit');
  return {
    async evaluate(run, argument?) {
      const source = `(${run.toString()})(${argument === undefined ? '' : JSON.stringify(argument)})`;
      const told = new Promise<{ value?: unknown; error?: string }>((tell) => (asked = { source, tell }));
      send();
      const gone = ended.then(() => ({ error: 'Firefox has ended', value: undefined }));
      const { value, error } = await Promise.race([told, gone]);
      if (error !== undefined) throw new Error(error);
      return value as never;
    },
    async close() {
      browser.kill('SIGKILL');
      await ended;
      await host.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}
