// A small product of matrices, eight rows at a time in registers: what steps of a model mostly are, so that whatever slows
// those on a driver that runs on the processor (another guest on the same core, a lower clock) slows this as much. The
// rows are spelled out, because some compilers keep an array that a loop indexes in memory.
struct Params { columns: u32, outputs: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let output = id.x;
  if (output >= params.outputs) { return; }
  let n = params.columns / 4u;
  var s0 = vec4<f32>(0.0);
  var s1 = vec4<f32>(0.0);
  var s2 = vec4<f32>(0.0);
  var s3 = vec4<f32>(0.0);
  var s4 = vec4<f32>(0.0);
  var s5 = vec4<f32>(0.0);
  var s6 = vec4<f32>(0.0);
  var s7 = vec4<f32>(0.0);
  for (var i = 0u; i < n; i++) {
    let w = weights[output * n + i];
    s0 += w * x[i];
    s1 += w * x[n + i];
    s2 += w * x[2u * n + i];
    s3 += w * x[3u * n + i];
    s4 += w * x[4u * n + i];
    s5 += w * x[5u * n + i];
    s6 += w * x[6u * n + i];
    s7 += w * x[7u * n + i];
  }
  let one = vec4<f32>(1.0);
  out[output] = dot(s0, one);
  out[params.outputs + output] = dot(s1, one);
  out[2u * params.outputs + output] = dot(s2, one);
  out[3u * params.outputs + output] = dot(s3, one);
  out[4u * params.outputs + output] = dot(s4, one);
  out[5u * params.outputs + output] = dot(s5, one);
  out[6u * params.outputs + output] = dot(s6, one);
  out[7u * params.outputs + output] = dot(s7, one);
}
