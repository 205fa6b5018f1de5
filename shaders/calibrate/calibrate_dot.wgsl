// Unit dot products of 8-bit integers and nothing else: sixteen independent sums a thread, of eight words that stay and
// two that change from step to step. They change so that no product is known beforehand; and each serves eight products,
// so that a driver which has to unpack the quants does that no more often than a good kernel would.
struct Params { rounds: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> sink: array<vec4<i32>>;

fn next(sum: vec4<i32>, a: u32, b: vec4<u32>) -> vec4<i32> {
  return sum + vec4<i32>(dot4I8Packed(a, b.x), dot4I8Packed(a, b.y), dot4I8Packed(a, b.z), dot4I8Packed(a, b.w));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let b = vec4<u32>(0x01020304u, 0x7f807f80u, 0x00ff00ffu, 0x0a0b0c0du) * (id.x + 1u);
  let c = b ^ vec4<u32>(0x55aa55aau);
  var left = id.x;
  var right = ~id.x;
  var p = vec4<i32>();
  var q = vec4<i32>();
  var r = vec4<i32>();
  var s = vec4<i32>();
  for (var round = 0u; round < params.rounds; round++) {
//#repeat i STEPS
    p = next(p, left, b);
    q = next(q, left, c);
    r = next(r, right, b);
    s = next(s, right, c);
    left += 0x01030507u;
    right += 0x0d0b0905u;
//#endrepeat
  }
  // Hardly ever true, but it keeps the work alive.
  if (all((p ^ q ^ r ^ s) == vec4<i32>(0x12345678))) { sink[0] = p; }
}
