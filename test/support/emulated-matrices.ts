/**
 * Subgroup matrices in plain WGSL: each lane of a subgroup holds a part of one row of the sums, the whole row of the
 * left operand and the columns of the right one that make them. A driver without matrices, or with others, then computes
 * what the index arithmetic of a shader comes to. What lanes do between two barriers is all that they share: the
 * subgroups meant here may be larger than the driver's own.
 */

interface MatrixType {
  readonly kind: 'left' | 'right' | 'result';
  /** f16, f32, i8, u8, i32, u32 */
  readonly component: string;
  /** WGSL of the rows and columns. */
  readonly rows: string;
  readonly cols: string;
}

/** Bits of a component. */
const BITS: Readonly<Record<string, number>> = { f16: 16, f32: 32, i8: 8, u8: 8, i32: 32, u32: 32 };

/** What a lane computes with: products of f16 are exact in f32, those of 8 bits in 32. */
const numberOf = (component: string): string => (/^i/.test(component) ? 'i32' : /^u/.test(component) ? 'u32' : 'f32');

/** The text within brackets that open at `open`, and where they close. */
function bracketed(text: string, open: number, pair = '()'): { inner: string; end: number } {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === pair[0]) depth++;
    if (text[i] === pair[1] && --depth === 0) return { inner: text.slice(open + 1, i), end: i };
  }
  throw new Error(`a bracket is not closed: ${text.slice(open, open + 60)}`);
}

/** A list at its outermost commas. */
function listed(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if ('([<'.includes(text[i])) depth++;
    if (')]>'.includes(text[i])) depth--;
    if (text[i] !== ',' || depth > 0) continue;
    parts.push(text.slice(from, i));
    from = i + 1;
  }
  return [...parts, text.slice(from)].map((part) => part.trim()).filter((part) => part !== '');
}

function matrixTypes(source: string): Map<string, MatrixType> {
  const aliases = new Map([...source.matchAll(/^alias (\w+) = (\w+);/gm)].map((found) => [found[1], found[2]]));
  const types = new Map<string, MatrixType>();
  for (const found of source.matchAll(/^alias (\w+) = subgroup_matrix_(left|right|result)<([^;]*)>;/gm)) {
    const [stored, cols, rows] = listed(found[3]);
    const component = aliases.get(stored) ?? stored;
    types.set(found[1], { kind: found[2] as MatrixType['kind'], component, rows, cols });
  }
  return types;
}

/** How an array is read and written number by number. */
function accessOf(source: string, pointer: string, component: string): { get: string; put: string } {
  const declared = new RegExp(`var<[^>]*>\\s+${pointer}\\s*:\\s*array<([^;]*)>;`).exec(source);
  if (declared === null) throw new Error(`${pointer} is not an array that matrices can lie in`);
  let element = listed(declared[1])[0];
  element = new RegExp(`^alias ${element} = (.*);`, 'm').exec(source)?.[1] ?? element;
  const vector = /^vec(\d)<(\w+)>$|^vec(\d)([fuih])$/.exec(element);
  const width = Number(vector?.[1] ?? vector?.[3] ?? 1);
  const scalar = vector?.[2] ?? { f: 'f32', u: 'u32', i: 'i32', h: 'f16' }[vector?.[4] ?? ''] ?? element;
  const name = `emulated_${component}_${pointer}`;
  const word = (at: string): string =>
    width === 1 ? `${pointer}[${at}]` : `${pointer}[${at} / ${width}u][${at} % ${width}u]`;
  const number = numberOf(component);
  const perWord = 32 / BITS[component];
  // Where in the array, counted in its scalars, the elements before a row end.
  const place = `let n = i / ${scalar === 'f16' ? 1 : perWord}u; let w = at * ${width}u + n;`;
  if (scalar === 'f16') {
    if (component !== 'f16') throw new Error(`${pointer} holds f16, and matrices of ${component} are read from it`);
    return {
      get: `fn ${name}(at: u32, i: u32) -> f32 { ${place} return f32(${word('w')}); }`,
      put: `fn ${name}_put(at: u32, i: u32, v: f32) { ${place} ${word('w')} = f16(v); }`,
    };
  }
  const bits = scalar === 'u32' ? word('w') : `bitcast<u32>(${word('w')})`;
  const get = {
    f16: `unpack2x16float(${bits})[i % 2u]`,
    i8: `unpack4xI8(${bits})[i % 4u]`,
    u8: `unpack4xU8(${bits})[i % 4u]`,
  }[component];
  const rest =
    component === 'f16'
      ? `let a = unpack2x16float(${bits}); ${word('w')} = bitcast<${scalar}>(pack2x16float(select(vec2<f32>(a.x, v), vec2<f32>(v, a.y), i % 2u == 0u)));`
      : `${word('w')} = bitcast<${scalar}>(v);`;
  return {
    get: `fn ${name}(at: u32, i: u32) -> ${number} { ${place} return ${get ?? `bitcast<${number}>(${bits})`}; }`,
    put: perWord > 2 ? '' : `fn ${name}_put(at: u32, i: u32, v: ${number}) { ${place} ${rest} }`,
  };
}

/**
 * A shader without subgroup matrices that computes the same in subgroups of `lanes`, thread by thread in order.
 *
 * @throws Error for what it does not know; nothing is left out silently
 */
export function emulateMatrices(shader: string, lanes: number): string {
  if (!/^enable chromium_experimental_subgroup_matrix;/m.test(shader)) return shader;
  const source = shader.replace(/\/\/.*/g, ''); // comments may name what is looked for
  const types = matrixTypes(source);
  const of = (kind: MatrixType['kind']): [string, MatrixType] => {
    const found = [...types].filter(([, type]) => type.kind === kind);
    if (found.length !== 1) throw new Error(`${found.length} types of ${kind} matrices where one is understood`);
    return found[0];
  };
  const [[leftName, left], [rightName, right], [sumName, sum]] = [of('left'), of('right'), of('result')];
  const helpers = new Map<string, string>();
  const access = (pointer: string, component: string): string => {
    const name = `emulated_${component}_${pointer}`;
    const { get, put } = accessOf(source, pointer, component);
    helpers.set(name, `${get}\n${put}`);
    return name;
  };
  /** A function that loads a matrix from, or stores one into, an array. */
  const mover = (typeName: string, order: string, pointer: string, store: boolean): string => {
    const type = types.get(typeName);
    if (type === undefined) throw new Error(`${typeName} is no matrix that is declared here`);
    const name = `emulated_${store ? 'store' : 'load'}_${typeName}_${order}_${pointer}`;
    const number = access(pointer, type.component);
    const across = order === 'row_major' ? ['r', 'c'] : ['c', 'r'];
    const at = `at + ${across[0]} * stride, ${across[1]}`;
    const rows = type.kind === 'right' ? `for (var r = 0u; r < ${type.rows}; r++) ` : '';
    const columns = type.kind === 'left' ? type.cols : 'EMULATED_PER';
    const slot = type.kind === 'right' ? `j * (${type.rows}) + r` : 'j';
    const row = type.kind === 'right' ? '' : 'let r = emulated_row();';
    const column = type.kind === 'left' ? 'let c = j;' : 'let c = emulated_column() + j;';
    const move = store ? `${number}_put(${at}, m[${slot}]);` : `m[${slot}] = ${number}(${at});`;
    const loop = `${row} for (var j = 0u; j < ${columns}; j++) { ${column} ${rows}{ ${move} } }`;
    helpers.set(
      name,
      store
        ? `fn ${name}(at: u32, m: ${typeName}, stride: u32) { ${loop} }`
        : `fn ${name}(at: u32, stride: u32) -> ${typeName} { var m: ${typeName}; ${loop} return m; }`,
    );
    return name;
  };

  let text = source;
  for (;;) {
    const call = /subgroupMatrix(Load|Store|MultiplyAccumulate)\b\s*(<)?/.exec(text);
    if (call === null) break;
    const angle = call[2] === undefined ? undefined : bracketed(text, call.index + call[0].length - 1, '<>');
    const open = text.indexOf('(', angle?.end ?? call.index);
    const { inner, end } = bracketed(text, open);
    const parameters = listed(angle?.inner ?? '');
    const given = listed(inner);
    let made = `emulated_accumulate(${inner})`;
    if (call[1] !== 'MultiplyAccumulate') {
      const store = call[1] === 'Store';
      const pointer = given[0].replace(/^&/, '');
      const [typeName, order] = store ? [sumName, parameters[0]] : parameters;
      made = `${mover(typeName, order, pointer, store)}(${given.slice(1).join(', ')})`;
    }
    text = text.slice(0, call.index) + made + text.slice(end + 1);
  }

  const rounded = sum.component === 'f16' ? 'quantizeToF16(v)' : 'v';
  const words = (type: MatrixType): string =>
    ({ left: type.cols, right: `(${type.rows}) * EMULATED_PER`, result: 'EMULATED_PER' })[type.kind];
  const lines = text.split('\n').flatMap((line) => {
    if (/^enable chromium_experimental_subgroup_matrix|^diagnostic\(off, chromium/.test(line)) return [];
    const alias = /^alias (\w+) = subgroup_matrix_/.exec(line);
    const type = alias && types.get(alias[1]);
    if (type) return [`alias ${alias[1]} = array<${numberOf(type.component)}, ${words(type)}>;`];
    // 8 bits are no type of WGSL's but in a matrix.
    return /^alias \w+ = [iu]8;/.test(line) ? [] : [line];
  });
  const [rows, columns] = [sum.rows, sum.cols];
  const added = [
    `const EMULATED_PER: u32 = (${rows}) * (${columns}) / ${lanes}u;`,
    // A lane's part lies in one row.
    `const_assert EMULATED_PER >= 1u && (${columns}) % EMULATED_PER == 0u;`,
    'var<private> emulated_lane: u32;',
    `fn emulated_row() -> u32 { return emulated_lane * EMULATED_PER / (${columns}); }`,
    `fn emulated_column() -> u32 { return (emulated_lane * EMULATED_PER) % (${columns}); }`,
    `fn emulated_accumulate(left: ${leftName}, right: ${rightName}, sum: ${sumName}) -> ${sumName} {`,
    '  var all = sum;',
    '  for (var j = 0u; j < EMULATED_PER; j++) {',
    '    var v = all[j];',
    `    for (var k = 0u; k < ${left.cols}; k++) {`,
    `      v += ${numberOf(sum.component)}(left[k]) * ${numberOf(sum.component)}(right[j * (${right.rows}) + k]);`,
    '    }',
    `    all[j] = ${rounded};`,
    '  }',
    '  return all;',
    '}',
    ...helpers.values(),
  ];
  text = [...lines, ...added].join('\n');

  const entry = /fn main\s*\(/.exec(text);
  if (entry === null) throw new Error('the shader has no main');
  const { inner, end } = bracketed(text, entry.index + entry[0].length - 1);
  const index = /@builtin\(local_invocation_index\)\s+(\w+)/.exec(inner)?.[1];
  const parameter = index ?? 'emulated_thread';
  const parameters = index === undefined ? `${inner}@builtin(local_invocation_index) ${parameter}: u32,` : inner;
  const body = text.indexOf('{', end);
  text = [
    text.slice(0, entry.index + entry[0].length),
    parameters,
    text.slice(end, body + 1),
    ` emulated_lane = ${parameter} % ${lanes}u;`,
    text.slice(body + 1),
  ].join('');
  const unknown = /subgroupMatrix\w*|subgroup_matrix\w*/.exec(text);
  if (unknown !== null) throw new Error(`${unknown[0]} is not emulated`);
  return text;
}
