// Rows of activations in 8 bits as quantize_rows.wgsl writes them: a scale, four quants to a word, and where weights have
// zero points the sum of the quants over each group. Quants of weights are unsigned with their middle at 128; with the
// top bit of each turned over they are signed, and
// sum of x * weight = scale of x * sum over groups of scale * (dot of the signed quants + (128 - zero) * sum of x's quants)
// in which everything behind a scale is exact.
@group(0) @binding(2) var<storage, read> x: array<vec4<u32>>;  // [m][x_stride4]
const SIGNED: u32 = 0x80808080u;

fn x_scale(m: u32) -> f32 { return bitcast<f32>(x[m * params.x_stride4].x); }
// Where the sums of a row of x begin, in words.
fn sums_at(m: u32) -> u32 { return m * params.x_stride4 * 4u + 4u + 2u * params.k8; }
fn x_sum(first: u32, group: u32) -> i32 {
  let i = first + group;
  return bitcast<i32>(x[i / 4u][i % 4u]);
}
