/** Of `embed-shaders.mjs`, which says what each does. */
export declare const EMBED: string;
export declare function shaderModule(root: string): string;
export declare function staleEmbeds(root: string): string[];
export declare function embedShaders(root: string, options?: { built?: boolean }): void;
