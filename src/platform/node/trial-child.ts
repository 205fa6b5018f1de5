import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TrialRequest } from '../../engine/drivers/prepare.js';
import type { TrialOutcome } from '../../engine/drivers/vet.js';
import { packageRoot } from './package-root.js';
import type { TrialNews } from './trial-process.js';

/** The program, as built; undefined where there is only source. */
function program(): string | undefined {
  const path = join(packageRoot(), 'dist', 'src', 'platform', 'node', 'trial-process.js');
  return existsSync(path) ? path : undefined;
}

/**
 * Tries a model's kernels in a process of its own, and says how that ended.
 *
 * @param patienceMs without a sign from it, after which it is ended
 */
export function runTrial(
  request: TrialRequest,
  onTuning: ((done: number, total: number, key: string) => void) | undefined,
  patienceMs: number,
): Promise<TrialOutcome> {
  const path = program();
  if (path === undefined) return Promise.resolve({ ended: 'refused', why: `there is no program`, lacksVariant: false });
  const args = [...process.execArgv.filter((each) => !/^--(inspect|input-type|eval)|^-e$/.test(each)), path];
  const child = spawn(process.execPath, [...args, JSON.stringify(request)], { stdio: ['ignore', 'pipe', 'ignore'] });
  let trying: readonly string[] = [];
  let outcome: TrialOutcome | undefined;
  let hung = false;
  const watch = setTimeout(() => {
    hung = true;
    child.kill('SIGKILL');
  }, patienceMs);
  createInterface({ input: child.stdout }).on('line', (line) => {
    watch.refresh();
    const news = newsOf(line);
    if (news === undefined) return;
    if ('trying' in news) trying = news.trying;
    else if ('tuning' in news) onTuning?.(news.tuning.done, news.tuning.total, news.tuning.key);
    else if ('findings' in news) outcome = { ended: 'well', findings: news.findings };
    else if ('hopeless' in news) outcome = { ended: 'hopeless', why: news.hopeless };
    else if ('lost' in news) outcome = { ended: 'badly', how: 'the device was lost on it', trying };
    else if ('uncompiled' in news) outcome = { ended: 'badly', how: 'it does not compile', trying: [news.uncompiled] };
    else outcome = { ended: 'refused', why: news.refused, lacksVariant: news.lacksVariant };
  });
  return new Promise((resolve) => {
    const end = (how: string): void => {
      clearTimeout(watch);
      resolve(outcome ?? { ended: 'badly', how, trying });
    };
    child.on('error', () => end('its process cannot be started'));
    child.on('close', (code, signal) => {
      if (hung) end('the driver did not come back from it');
      else if (signal !== null) end(`the driver crashed on it: ${signal}`);
      else end(`a trial of it ended with exit code ${code}`);
    });
  });
}

function newsOf(line: string): TrialNews | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as TrialNews;
  } catch {
    return undefined; // cut short by a crash
  }
}
