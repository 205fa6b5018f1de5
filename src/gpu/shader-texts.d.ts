/**
 * The text of every file below `shaders/`, by its path there, so that no shader is read from disk at run time. The module
 * is written by `scripts/embed-shaders.mjs`, before each build and each run of the tests.
 */
export declare const SHADER_TEXTS: Readonly<Record<string, string>>;
/** Fetches the texts that a build left out of these; undefined where none are. */
export declare const otherShaders: (() => Promise<{ readonly default: Readonly<Record<string, string>> }>) | undefined;
