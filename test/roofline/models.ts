import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig, type ModelConfig } from '../../src/model/config.js';
import { packageRoot } from '../../src/platform/node/package-root.js';
import { familyModel, type Model } from '../../src/roofline/models/models.js';

const presets = JSON.parse(readFileSync(join(packageRoot(), 'models', 'presets.json'), 'utf8')) as Record<
  string,
  unknown
>;

export const presetNames = Object.keys(presets);
export const presetConfig = (name: string): ModelConfig => parseConfig(presets[name], name);
export const preset = (name: string): Model => familyModel(name, presetConfig(name));
