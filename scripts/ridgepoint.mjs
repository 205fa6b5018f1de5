#!/usr/bin/env node
import './check-node.mjs';
import { isBuilt, runCli } from './cli.mjs';
import { root, setUpOrExit } from './setup.mjs';

if (!isBuilt(root)) await setUpOrExit();
await runCli(root, process.argv.slice(2));
