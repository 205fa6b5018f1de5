// Multiply-adds on the shader cores and nothing else: CHAINS independent chains of vec4 a thread.
//#if half
enable f16;
alias Vector = vec4<f16>;
//#else
alias Vector = vec4<f32>;
//#endif
struct Params { rounds: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> sink: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  var chains: array<Vector, CHAINS>;
  for (var c = 0u; c < CHAINS; c++) { chains[c] = Vector(vec4<f32>(f32(id.x % 7u), f32(c), 0.5, 1.0)); }
  let a = Vector(vec4<f32>(0.5, 0.25, 0.75, 0.125));
  let b = Vector(vec4<f32>(1.0, 2.0, 3.0, 4.0));
  for (var round = 0u; round < params.rounds; round++) {
    for (var step = 0u; step < 8u; step++) {
//#if fused
      for (var c = 0u; c < CHAINS; c++) { chains[c] = fma(chains[c], a, b); }
//#else
      for (var c = 0u; c < CHAINS; c++) { chains[c] = chains[c] * a + b; }
//#endif
    }
  }
  var sum = vec4<f32>(0.0);
  for (var c = 0u; c < CHAINS; c++) { sum += vec4<f32>(chains[c]); }
  // Never true (the chains settle below 8 each), but it keeps the work alive.
  if (sum.x > 1e9) { sink[0] = sum; }
}
