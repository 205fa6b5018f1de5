/**
 * Subgroups of `lanes` in workgroup memory, for shaders that ask their neighbours by `subgroupShuffleXor` alone, from where
 * the whole workgroup is: what a driver with smaller subgroups computes is then what larger ones would.
 *
 * @throws Error for what it does not know; nothing is left out silently
 */
export function emulateLanes(shader: string, lanes: number): string {
  if (!/^enable subgroups;/m.test(shader)) return shader;
  const size = /@workgroup_size\((\w+)\)/.exec(shader)?.[1];
  const entry = /fn main\(([^{]*)\) \{/.exec(shader);
  if (size === undefined || entry === null) throw new Error('the shader has no main whose workgroup is a line');
  const taken: string[] = [];
  const parameters = entry[1].replace(/@builtin\((\w+)\)\s+(\w+): u32,?/g, (whole, builtin: string, name: string) => {
    const value = {
      subgroup_id: `emulated_place / ${lanes}u`,
      subgroup_size: `${lanes}u`,
      subgroup_invocation_id: `emulated_place % ${lanes}u`,
      local_invocation_index: 'emulated_place',
    }[builtin];
    if (value === undefined) return whole;
    taken.push(`let ${name} = ${value};`);
    return '';
  });
  const text = [
    shader.slice(0, entry.index),
    `fn main(@builtin(local_invocation_index) emulated_index: u32, ${parameters}) { emulated_place = emulated_index; `,
    taken.join(' '),
    shader.slice(entry.index + entry[0].length),
    '\nvar<private> emulated_place: u32;',
    `\nvar<workgroup> emulated_exchange: array<f32, ${size}>;`,
    '\nfn emulated_shuffle_xor(value: f32, mask: u32) -> f32 {',
    '  emulated_exchange[emulated_place] = value;',
    '  workgroupBarrier();',
    '  let other = emulated_exchange[emulated_place ^ mask];',
    '  workgroupBarrier();',
    '  return other;\n}\n',
  ]
    .join('\n')
    .replace(/\/\/.*/g, '') // comments may name what is looked for
    .replace(/^enable subgroups;|^diagnostic\(off, subgroup_uniformity\);/gm, '')
    .replace(/\bsubgroupShuffleXor\(/g, 'emulated_shuffle_xor(');
  const unknown = /\bsubgroup[A-Z_]\w*/.exec(text);
  if (unknown !== null) throw new Error(`${unknown[0]} is not emulated`);
  return text;
}
