import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { MatrixNews, MatrixSurvey } from './subgroup-matrix.js';

/** A configuration that takes longer hangs. */
const PATIENCE_MS = 60_000;

/**
 * A survey in a process of its own, for what a driver's compiler may take along. The process that ended early is
 * followed by another, which begins after the configuration it ended at.
 *
 * @param argsFrom arguments of this program with which it prints its news as lines of JSON, from a place on
 */
export function surveyInProcesses(
  argsFrom: (from: number) => readonly string[],
  patienceMs = PATIENCE_MS,
): MatrixSurvey {
  return async (configs, tell) => {
    for (let from = 0; from < configs.length;) {
      let begun = from;
      let done = false;
      const why = await survey(argsFrom(from), patienceMs, (news) => {
        begun = news.at;
        done = 'rate' in news || 'refused' in news;
        tell(news);
      });
      if (!done) tell({ at: begun, refused: why });
      from = begun + 1;
    }
  };
}

/** @returns how it ended, in words */
function survey(args: readonly string[], patienceMs: number, tell: (news: MatrixNews) => void): Promise<string> {
  const child = spawn(process.execPath, [...process.execArgv, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let hung = false;
  const watch = setTimeout(() => {
    hung = true;
    child.kill('SIGKILL');
  }, patienceMs);
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    watch.refresh();
    if (line.startsWith('{')) tell(JSON.parse(line) as MatrixNews);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
  return new Promise((resolve) => {
    const end = (how: string): void => {
      clearTimeout(watch);
      resolve(how);
    };
    child.on('error', (error) => end(error.message));
    child.on('close', (code, signal) => {
      const last = said.trim().split('\n').at(-1) ?? '';
      const how = signal === null ? `its process ended with exit code ${code}` : `it ended its process by ${signal}`;
      end(hung ? `it took longer than ${patienceMs / 1000} s` : last === '' ? how : `${how}: ${last}`);
    });
  });
}
