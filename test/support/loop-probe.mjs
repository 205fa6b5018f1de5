/**
 * Put into a server with `--import`: how long its event loop stood still, in milliseconds of its main thread's
 * computing, and how slow the machine is just now. Answers a message with what was the longest since the last.
 */
import { existsSync, readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

if (isMainThread && process.send !== undefined) {
  const SCHEDSTAT = '/proc/thread-self/schedstat';
  const cpu = existsSync(SCHEDSTAT)
    ? () => Number(readFileSync(SCHEDSTAT, 'latin1').split(' ', 1)[0]) / 1e6
    : () => process.cpuUsage().user / 1000;
  const known = () => {
    const began = cpu();
    let sum = 0;
    for (let i = 0; i < 20_000_000; i++) sum = (Math.imul(sum, 31) + i) | 0;
    return sum === 1 ? Infinity : cpu() - began;
  };
  let longest = 0;
  let computed = cpu();
  let clock = performance.now();
  const look = () => {
    const [done, now] = [cpu(), performance.now()];
    longest = Math.max(longest, Math.min(done - computed, now - clock));
    [computed, clock] = [done, now];
    setTimeout(look, 2).unref();
  };
  look();
  process.on('message', () => {
    process.send({ longest, known: known() });
    longest = 0;
    computed = cpu();
    clock = performance.now();
  });
  process.channel.unref();
}
