import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * What decides whether packages and build are up to date, for the package in `root`.
 *
 * @param {string} root
 */
export function freshness(root) {
  const lockFile = join(root, 'package-lock.json');
  const installStamp = join(root, 'node_modules', '.ridgepoint-install');
  const buildStamp = join(root, 'dist', '.build-stamp');

  const lockHash = () => {
    const manifest = existsSync(lockFile) ? lockFile : join(root, 'package.json');
    return createHash('sha256').update(readFileSync(manifest)).digest('hex');
  };

  /** Names, sizes and times of all that the build reads: an edited, added or deleted file changes it. */
  const sources = () => {
    const lines = [];
    const add = (path) => {
      const status = statSync(path, { throwIfNoEntry: false });
      if (!status) return;
      if (status.isDirectory())
        readdirSync(path)
          .filter((name) => name !== 'node_modules') // of a package of its own below; the build does not read it
          .sort()
          .forEach((name) => add(join(path, name)));
      else lines.push(`${path.slice(root.length)} ${status.size} ${status.mtimeMs}`);
    };
    ['src', 'bench', 'shaders', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'].forEach((name) =>
      add(join(root, name)),
    );
    return createHash('sha256').update(lines.join('\n')).digest('hex');
  };

  return {
    /** Whether this is a checkout, which can be built; a package from npm comes built and holds no sources. */
    isCheckout: () => existsSync(join(root, 'src')) && existsSync(join(root, 'tsconfig.build.json')),

    packagesAreFresh() {
      const stamp = read(installStamp);
      const hash = stamp === undefined ? undefined : lockHash();
      if (stamp !== undefined && stamp === hash) return true;
      // npm writes this file at each install: newer than the lock file, it tells of one that somebody made by hand.
      const installed = statSync(join(root, 'node_modules', '.package-lock.json'), { throwIfNoEntry: false });
      const wanted = statSync(lockFile, { throwIfNoEntry: false });
      return installed !== undefined && wanted !== undefined && installed.mtimeMs >= wanted.mtimeMs;
    },
    packagesInstalled: () => write(installStamp, lockHash()),

    sources,
    buildIsFresh: () => existsSync(join(root, 'dist', 'src')) && read(buildStamp) === sources(),
    /** @param {string} fingerprint of `sources()` before the build, so that an edit during it is not missed */
    built: (fingerprint) => write(buildStamp, fingerprint),
  };
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
