// Rows of prompts as products read them: four numbers at a time, in f16 where they were written so.
//#if half_rows
@group(0) @binding(2) var<storage, read> x: array<vec2<u32>>;  // [m][2 * x_stride4]
fn row_fours() -> u32 { return 2u * params.x_stride4; }
fn four_of_row(at: u32) -> vec4<f32> {
  let pair = x[at];
  return vec4<f32>(unpack2x16float(pair.x), unpack2x16float(pair.y));
}
//#else
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;  // [m][x_stride4]
fn row_fours() -> u32 { return params.x_stride4; }
fn four_of_row(at: u32) -> vec4<f32> { return x[at]; }
//#endif
