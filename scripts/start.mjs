#!/usr/bin/env node
import './check-node.mjs';
import { knownCommands, runCli, startArguments } from './cli.mjs';
import { root, setUpOrExit } from './setup.mjs';

await setUpOrExit();
await runCli(root, startArguments(process.argv.slice(2), await knownCommands(root)));
