// A small product of a matrix and a vector, its weights in f16: what steps of a model mostly are, in loads, unpacking and
// multiply-adds alike, so that whatever slows those on a driver that runs on the processor (another guest on the same core,
// a lower clock) slows this about as much.
struct Params { columns: u32, outputs: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let output = id.x;
  if (output >= params.outputs) { return; }
  let n = params.columns / 4u;
  var sum = vec4<f32>(0.0);
  for (var i = 0u; i < n; i++) {
    let four = weights[output * n + i];
    sum += vec4<f32>(unpack2x16float(four.x), unpack2x16float(four.y)) * x[i];
  }
  out[output] = dot(sum, vec4<f32>(1.0));
}
