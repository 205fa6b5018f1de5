/** Builds `ridgepoint/browser` from the sources below `root` into a folder. */
export function buildBrowser(root: string, outdir: string): Promise<void>;
