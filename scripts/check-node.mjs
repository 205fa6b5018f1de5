// Imported first by every script, and written so that an old Node can read it.
const major = Number(process.versions.node.split('.')[0]);
if (major < 20) {
  console.error(`ridgepoint needs Node.js 20 or newer; this is ${process.version} (${process.execPath})`);
  process.exit(1);
}
