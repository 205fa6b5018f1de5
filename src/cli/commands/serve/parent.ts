/** How often the parent is looked at, in milliseconds. */
const LOOK_MS = 200;

let told = false;

/**
 * Sends us SIGTERM when the shell that npm runs us in has died. npm hands a signal on to that shell, which dies of it
 * and tells nobody: who asked `npx ridgepoint serve` to end would leave a server behind. Without npm a parent may well
 * end before us, as after `nohup`.
 */
export function endWithParent(): void {
  if (process.env.npm_command === undefined || process.platform === 'win32') return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    told = true;
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_MS).unref();
}

/** Whether the signal that has come is the one above, which is no second wish to end where there was a first. */
export function isParentsEnd(): boolean {
  const was = told;
  told = false;
  return was;
}

/** Sends us SIGTERM when whoever started us with a channel to itself is gone, however it went. */
export function endWithChannel(): void {
  const end = (): void => void process.kill(process.pid, 'SIGTERM');
  // It may have gone before we came to ask; without a channel nothing is said of one.
  if (process.connected === false) end();
  else if (process.connected) process.once('disconnect', end);
}
