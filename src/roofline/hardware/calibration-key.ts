/** A file name for an adapter and driver, letters, digits and dashes only. */
export function calibrationKey(adapter: string, driver: string): string {
  return `${adapter} ${driver}`
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 120);
}
