/** What a WGSL compiler does not read is left out: comments, but for our directives, and the space around lines. */
export function stripWgsl(text: string): string;
/** Builds `ridgepoint/browser` from the sources below `root` into a folder. */
export function buildBrowser(root: string, outdir: string): Promise<void>;
