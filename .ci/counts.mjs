// Prints how many tests of a JSON report passed and failed, and appends to a file which files took longest, and what
// failed and why: counts.mjs REPORT FILE
import { appendFileSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [reportFile, listFile] = process.argv.slice(2);
let report = {};
try {
  report = JSON.parse(readFileSync(reportFile, 'utf8'));
} catch {
  // The run ended before it wrote one: .ci/run counts that as a failure.
}
const files = report.testResults ?? [];
const nameOf = (file) => relative(process.cwd(), file.name).replace(/^.*?(?=test\/)/, '');
const failedTests = files.flatMap((file) =>
  file.assertionResults.filter((test) => test.status === 'failed').map((test) => ({ file, test })),
);
/** Files that failed without a failed test: they could not be loaded, or something was thrown outside a test. */
const broken = files.filter((file) => file.status === 'failed' && !failedTests.some((failed) => failed.file === file));

const longest = files
  .map((file) => ({ name: nameOf(file), seconds: (file.endTime - file.startTime) / 1000 }))
  .sort((a, b) => b.seconds - a.seconds)
  .slice(0, 15);
const short = (text) => (text ?? '').replace(/\u001b\[[0-9;]*m/g, '').slice(0, 1500);
const lines = [
  `longest: ${longest.map(({ name, seconds }) => `${name} ${seconds.toFixed(0)} s`).join(', ')}`,
  ...failedTests.map(
    ({ file, test }) => `failed: ${nameOf(file)}: ${test.fullName}\n${short(test.failureMessages?.join('\n'))}`,
  ),
  ...broken.map((file) => `failed: ${nameOf(file)}\n${short(file.message)}`),
];
appendFileSync(listFile, `${lines.join('\n')}\n`);
console.log(report.numPassedTests ?? 0, failedTests.length + broken.length);
