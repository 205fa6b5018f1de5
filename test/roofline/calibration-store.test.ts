import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  calibrationFolder,
  listCalibrations,
  loadCalibration,
  readCalibration,
  saveCalibration,
} from '../../src/platform/node/calibration-store.js';
import { calibration } from './calibration.js';

const before = process.env.XDG_CACHE_HOME;
const cache = mkdtempSync(join(tmpdir(), 'ridgepoint-calibration-'));

beforeAll(() => {
  process.env.XDG_CACHE_HOME = cache;
});
afterAll(() => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  rmSync(cache, { recursive: true, force: true });
});

test('calibrations are kept by adapter and driver, and found newest first', async () => {
  expect(await listCalibrations()).toEqual([]);
  expect(await loadCalibration()).toBeUndefined();

  const path = await saveCalibration(calibration);
  expect(path).toBe(join(calibrationFolder(), 'test-adapter-driver-1.json'));
  expect(await readCalibration(path)).toEqual(calibration);

  const other = { ...calibration, adapter: 'Another one', date: '2027-01-01T00:00:00Z' };
  await saveCalibration(other);
  expect((await listCalibrations()).map(({ calibration: { adapter } }) => adapter)).toEqual([
    'Another one',
    'Test adapter',
  ]);
  expect(await loadCalibration()).toEqual(other);
  expect(await loadCalibration('TEST')).toEqual(calibration);

  await saveCalibration({ ...calibration, date: '2028-01-01T00:00:00Z' });
  expect(await listCalibrations()).toHaveLength(2);
  expect((await loadCalibration())!.date).toBe('2028-01-01T00:00:00Z');
});

test('what is not a calibration is not kept', async () => {
  await expect(saveCalibration({ ...calibration, driver: 3 as unknown as string })).rejects.toThrow();
});
