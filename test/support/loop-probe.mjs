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
  const numbers = `[${'5,'.repeat(500_000)}5]`;
  // Two known loops, of arithmetic and of memory, each about 20 ms on one and the same machine: reading a large body is
  // of the second kind, and machines differ more in that. The slower of the two is how slow the machine is.
  const arithmetic = () => {
    const began = cpu();
    let sum = 0;
    for (let i = 0; i < 20_000_000; i++) sum = (Math.imul(sum, 31) + i) | 0;
    return sum === 1 ? Infinity : cpu() - began;
  };
  const memory = () => {
    const began = cpu();
    return JSON.parse(numbers).length === 0 ? Infinity : cpu() - began;
  };
  const known = () => Math.max(arithmetic(), memory());
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
