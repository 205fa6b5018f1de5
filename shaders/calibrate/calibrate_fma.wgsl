// Multiply-adds on the shader cores and nothing else: four independent chains of vec4 a thread. They are spelled out,
// because some compilers keep an array that a loop indexes in memory.
//#if half
enable f16;
alias Vector = vec4<f16>;
//#else
alias Vector = vec4<f32>;
//#endif
struct Params { rounds: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> sink: array<vec4<f32>>;

fn next(v: Vector, a: Vector, b: Vector) -> Vector {
//#if fused
  return fma(v, a, b);
//#else
  return v * a + b;
//#endif
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let a = Vector(vec4<f32>(0.5, 0.25, 0.75, 0.125));
  let b = Vector(vec4<f32>(1.0, 2.0, 3.0, 4.0));
  var p = Vector(vec4<f32>(f32(id.x % 7u), 0.0, 0.5, 1.0));
  var q = p + b;
  var r = q + b;
  var s = r + b;
  for (var round = 0u; round < params.rounds; round++) {
    p = next(p, a, b); q = next(q, a, b); r = next(r, a, b); s = next(s, a, b);
    p = next(p, a, b); q = next(q, a, b); r = next(r, a, b); s = next(s, a, b);
    p = next(p, a, b); q = next(q, a, b); r = next(r, a, b); s = next(s, a, b);
    p = next(p, a, b); q = next(q, a, b); r = next(r, a, b); s = next(s, a, b);
    p = next(p, a, b); q = next(q, a, b); r = next(r, a, b); s = next(s, a, b);
    p = next(p, a, b); q = next(q, a, b); r = next(r, a, b); s = next(s, a, b);
    p = next(p, a, b); q = next(q, a, b); r = next(r, a, b); s = next(s, a, b);
    p = next(p, a, b); q = next(q, a, b); r = next(r, a, b); s = next(s, a, b);
  }
  let sum = vec4<f32>(p + q + r + s);
  // Never true (the chains settle below 16 each), but it keeps the work alive.
  if (sum.x > 1e9) { sink[0] = sum; }
}
