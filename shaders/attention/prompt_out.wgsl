// Where attention of prompts puts its result: pairs of numbers, [tokens][heads][HALF], in f16 where the product that reads
// them wants it so. Who includes this has `params.out_stride`, a row's pairs.
//#if half_rows
//#include common/halves.wgsl
@group(0) @binding(7) var<storage, read_write> out: array<u32>;
fn put_pair(row: u32, head: u32, pair: u32, v: vec2<f32>) {
  out[row * params.out_stride + head * HALF + pair] = in_f16(v.xyxy).x;
}
//#else
@group(0) @binding(7) var<storage, read_write> out: array<vec2<f32>>;
fn put_pair(row: u32, head: u32, pair: u32, v: vec2<f32>) { out[row * params.out_stride + head * HALF + pair] = v; }
//#endif
