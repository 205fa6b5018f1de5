/** Builds the page as static files, on wish with the embedded model. */
export function buildSite(root: string, outdir: string, options?: { models?: boolean }): Promise<void>;
