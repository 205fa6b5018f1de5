import { otherShaders, SHADER_TEXTS } from './shader-texts.js';

/** Gives the text of a shader by its path below `shaders/`, for example `matmul/matmul_vec.wgsl`. */
export type ShaderReader = (path: string) => string;

let texts = SHADER_TEXTS;

/** The text of a shader as the package has it. @throws Error when there is none of that path */
export function shaderText(path: string): string {
  if (!Object.hasOwn(texts, path)) throw new Error(`there is no shader ${path}`);
  return texts[path];
}

/** Has the text of a shader at hand, and those it includes: a build for browsers fetches what few devices run. */
export async function fetchShader(path: string): Promise<void> {
  if (Object.hasOwn(texts, path) || otherShaders === undefined) return;
  const { default: others } = await otherShaders();
  texts = { ...SHADER_TEXTS, ...others };
}

/** What a variant is made of: numbers become WGSL constants, booleans become conditions. */
export type Defines = Readonly<Record<string, number | boolean>>;

const LEADING = /^\s*(enable|requires|diagnostic)\b/;
const DIRECTIVE = /^\s*\/\/#(if|elif|else|endif|include|repeat|endrepeat)\b\s*(.*?)\s*$/;

interface Line {
  readonly text: string;
  /** Of a directive. */
  readonly kind?: string;
  readonly argument?: string;
  /** Whether it must come before every declaration. */
  readonly leads: boolean;
}

/** Most modules include the same files. */
const parsed = new Map<string, readonly Line[]>();

function linesOf(source: string): readonly Line[] {
  const known = parsed.get(source);
  if (known !== undefined) return known;
  const lines = source.split('\n').map((text): Line => {
    const directive = text.includes('//#') ? DIRECTIVE.exec(text) : null;
    if (directive !== null) return { text, kind: directive[1], argument: directive[2], leads: false };
    return { text, leads: LEADING.test(text) };
  });
  parsed.set(source, lines);
  return lines;
}

/**
 * Composes one WGSL module.
 *
 * Directives are comments, so that a shader file stays readable to WGSL tools:
 * `//#include common/weights.wgsl`, `//#if name`, `//#if !name`, `//#elif name`, `//#else`, `//#endif`.
 * `//#repeat i COUNT` … `//#endrepeat` writes the lines between once for each i below a numeric define, `$i$` in them
 * replaced by the number: registers that must have a name of their own, since a compiler may leave a loop rolled and
 * put an array it indexes into memory.
 * Numeric defines are put in front as `const NAME: u32 = 4u;` (or `f32` when the value is not whole). They are
 * constants rather than `override`s because WGSL sizes a function's arrays, the register tiles, by constants only.
 *
 * @throws Error naming the file and line of a directive that is unknown, unbalanced or names an absent define
 */
export function composeShader(path: string, defines: Defines, read: ShaderReader): string {
  const constants: string[] = [];
  for (const [name, value] of Object.entries(defines)) {
    if (typeof value !== 'number') continue;
    constants.push(Number.isInteger(value) ? `const ${name}: u32 = ${value}u;` : `const ${name}: f32 = ${value};`);
  }
  const included = new Set<string>();
  const body = expand(path, defines, read, included);
  // `enable` and `requires` must come before every declaration, so the constants go behind them.
  const head = body.filter(({ leads }) => leads).map(({ text }) => text);
  const rest = body.filter(({ leads }) => !leads).map(({ text }) => text);
  return [...new Set(head), ...constants, ...rest].join('\n');
}

function expand(path: string, defines: Defines, read: ShaderReader, included: Set<string>): Line[] {
  if (included.has(path)) return [];
  included.add(path);
  const output: Line[] = [];
  /** Per open `#if`: does the current branch apply, and has any branch applied. */
  const open: { active: boolean; taken: boolean }[] = [];
  /** Per open `#repeat`: its variable, how often, and where its lines begin in the output. */
  const repeats: { name: string; count: number; from: number; depth: number }[] = [];
  const fail = (line: number, message: string): never => {
    throw new Error(`shaders/${path}:${line + 1}: ${message}`);
  };
  const holds = (condition: string, line: number): boolean => {
    const name = condition.replace(/^!/, '');
    if (!(name in defines)) fail(line, `"${name}" is not defined for this variant`);
    return Boolean(defines[name]) !== condition.startsWith('!');
  };

  const lines = linesOf(read(path));
  lines.forEach((each, line) => {
    // A branch is active only where all around it are.
    const active = open.at(-1)?.active ?? true;
    const { kind, argument = '' } = each;
    if (kind === undefined) {
      if (active) output.push(each);
      return;
    }
    const top = open.at(-1);
    const outer = open.at(-2)?.active ?? true;
    switch (kind) {
      case 'include':
        if (active) output.push(...expand(argument, defines, read, included));
        break;
      case 'repeat': {
        const [name, bound] = argument.split(/\s+/);
        const count = active ? defines[bound] : 0;
        if (typeof count !== 'number') return fail(line, `"${bound}" is not a number defined for this variant`);
        repeats.push({ name, count, from: output.length, depth: open.length });
        break;
      }
      case 'endrepeat': {
        const repeat = repeats.pop();
        if (repeat?.depth !== open.length) return fail(line, '#endrepeat without #repeat');
        const body = output.splice(repeat.from);
        for (let i = 0; i < repeat.count; i++) {
          for (const { text, ...rest } of body) {
            output.push({ ...rest, text: text.replaceAll(`$${repeat.name}$`, String(i)) });
          }
        }
        break;
      }
      case 'if': {
        const taken = active && holds(argument, line);
        open.push({ active: taken, taken });
        break;
      }
      case 'elif':
        if (top === undefined) return fail(line, '#elif without #if');
        top.active = outer && !top.taken && holds(argument, line);
        top.taken ||= top.active;
        break;
      case 'else':
        if (top === undefined) return fail(line, '#else without #if');
        top.active = outer && !top.taken;
        top.taken = true;
        break;
      case 'endif':
        if (open.pop() === undefined) fail(line, '#endif without #if');
        if ((repeats.at(-1)?.depth ?? 0) > open.length) fail(line, '#endif inside a #repeat that began before it');
        break;
    }
  });
  if (repeats.length > 0) fail(lines.length - 1, '#repeat without #endrepeat');
  if (open.length > 0) fail(lines.length - 1, '#if without #endif');
  return output;
}
