import { afterEach, describe, expect, it } from 'vitest';
import {
  byPreference,
  chooseAdapter,
  howToInstallMesa,
  noAdapter,
  noSuchAdapter,
  swiftShaderHint,
} from '../../src/platform/node/adapter-choice.js';

const GPU = 'NVIDIA H200';
const LAVAPIPE = 'llvmpipe (LLVM 15.0.6, 256 bits)';
const SWIFTSHADER = 'SwiftShader Device (Subzero)';
const ALL = [SWIFTSHADER, LAVAPIPE, GPU];

describe('choosing an adapter', () => {
  it('prefers a GPU, then the software driver of the system, then SwiftShader', () => {
    expect(byPreference(ALL)).toEqual([GPU, LAVAPIPE, SWIFTSHADER]);
    expect(chooseAdapter(ALL)).toBe(GPU);
    expect(chooseAdapter([SWIFTSHADER, LAVAPIPE])).toBe(LAVAPIPE);
    expect(chooseAdapter([SWIFTSHADER])).toBe(SWIFTSHADER);
    expect(chooseAdapter([])).toBeUndefined();
  });

  it('keeps the order of the driver among GPUs', () => {
    expect(byPreference(['Radeon 7900', SWIFTSHADER, 'Intel Arc'])).toEqual(['Radeon 7900', 'Intel Arc', SWIFTSHADER]);
  });

  it.each([
    ['h200', GPU],
    ['NVIDIA', GPU],
    ['llvm', LAVAPIPE],
    ['lavapipe', LAVAPIPE],
    [' LavaPipe ', LAVAPIPE],
    ['swift', SWIFTSHADER],
    ['', GPU],
    ['(', LAVAPIPE],
  ])('finds %j in any case', (wanted, expected) => expect(chooseAdapter(ALL, wanted)).toBe(expected));

  it('gives nothing for a name nobody has', () => expect(chooseAdapter(ALL, 'radeon')).toBeUndefined());
});

describe('messages', () => {
  const chosen = process.env.VK_DRIVER_FILES;
  afterEach(() => {
    if (chosen === undefined) delete process.env.VK_DRIVER_FILES;
    else process.env.VK_DRIVER_FILES = chosen;
  });

  it('lists the adapters there are when a name fits none', () => {
    const error = noSuchAdapter('radeon', [SWIFTSHADER, LAVAPIPE]);
    expect(error.code).toBe('adapter');
    expect(error.message).toBe(`no adapter's name contains "radeon"; there are: "${LAVAPIPE}", "${SWIFTSHADER}"`);
  });

  it('says how to get an adapter when there is none', () => {
    expect(noAdapter('linux', 'x64').message).toMatch(/mesa-vulkan-drivers.*npm install --include=optional/);
    expect(noAdapter('linux', 'arm64').message).not.toMatch(/npm install/);
    expect(noAdapter('darwin', 'arm64').message).toMatch(/driver of your GPU/);
  });

  it('names the variable by which the user chose a driver that does not work', () => {
    process.env.VK_DRIVER_FILES = '/nowhere/icd.json';
    expect(noAdapter('linux', 'x64').message).toMatch(/VK_DRIVER_FILES=\/nowhere\/icd.json brings none; unset it/);
  });

  it.each([
    ['bookworm-backports', 'ID=debian\nVERSION_CODENAME=bookworm\n'],
    ['"apt install mesa-vulkan-drivers"', 'ID=debian\nVERSION_CODENAME=trixie\n'],
    ['"apt install mesa-vulkan-drivers"', 'ID=linuxmint\nID_LIKE="ubuntu debian"\n'],
    ['dnf install', 'ID=fedora\n'],
    ['pacman', 'ID=arch\n'],
    ['lavapipe', ''],
  ])('advises %s', (advice, osRelease) => {
    expect(howToInstallMesa(osRelease)).toContain(advice);
    expect(swiftShaderHint(osRelease)).toContain(advice);
    expect(swiftShaderHint(osRelease)).not.toContain('\n');
  });
});
