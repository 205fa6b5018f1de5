/** Shaders as a build for browsers has them. */

/** What few devices run, and what includes it alone: subgroup matrices, made-up weights, measurements. */
const FEW = /matrix|skinny|^synthetic\/|^calibrate\//;

/** What a WGSL compiler does not read: comments, but for our directives, and the space around lines and signs. */
export function stripWgsl(text) {
  return text
    .split('\n')
    .map((line) => (/^\s*\/\/#/.test(line) ? line.trim() : stripLine(line)))
    .filter((line) => line !== '')
    .join('\n');
}

const stripLine = (line) =>
  line
    .replace(/\/\/.*$/, '')
    .trim()
    // Not where signs would join: "a - -b", "array<u32> = x".
    .replace(/(?<=[\w)\]]) ([=+*/]) (?=[\w(])/g, '$1')
    .replace(/ *([,;:(){}]) */g, '$1');

/**
 * A plugin of Rolldown's: shader texts without what only people read, and those that few devices run in a file of their
 * own, where there can be one.
 *
 * @param {{ whole?: boolean }} options whether all of it goes into one file
 */
export function stripShaders({ whole = false } = {}) {
  const OTHERS = 'few-shaders';
  let all;
  const textsOf = (wanted) => {
    const chosen = Object.entries(all).filter(([name]) => wanted(name));
    return JSON.stringify(Object.fromEntries(chosen.map(([name, text]) => [name, stripWgsl(text)])));
  };
  return {
    name: 'strip-shaders',
    resolveId: (id) => (id === OTHERS ? id : undefined),
    async load(id) {
      if (id === OTHERS) return `export default ${textsOf((name) => FEW.test(name))};`;
      if (!/shader-texts\.js$/.test(id)) return undefined;
      ({ SHADER_TEXTS: all } = await import(id));
      const others = whole ? 'undefined' : `() => import(${JSON.stringify(OTHERS)})`;
      return `export const SHADER_TEXTS = ${textsOf((name) => whole || !FEW.test(name))};
export const otherShaders = ${others};`;
    },
  };
}
