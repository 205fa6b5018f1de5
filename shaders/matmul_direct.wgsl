// Many rows of x on a driver that runs shaders on the CPU: no workgroup memory, because barriers are dear there.
// A workgroup shares TM rows of x, whose addresses are then the same for all lanes: one scalar load each. A thread
// makes TM x 2 outputs.
//#include common/matmul.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let rows = row_count();
  let m0 = group.y * TM;
  let n0 = (group.x * WG + thread) * 2u;
  if (n0 >= params.n) { return; }
  let w0 = n0 * params.k8;
  let w1 = min(n0 + 1u, params.n - 1u) * params.k8;
  var a: array<f32, TM>;
  var b: array<f32, TM>;
  for (var k = 0u; k < params.k8; k++) {
    let p = load_weights(w0 + k);
    let q = load_weights(w1 + k);
    for (var m = 0u; m < TM; m++) {
      let i = min(m0 + m, rows - 1u) * params.x_stride4 + 2u * k;
      let lo = x[i];
      let hi = x[i + 1u];
      a[m] += dot(p.lo, lo) + dot(p.hi, hi);
      b[m] += dot(q.lo, lo) + dot(q.hi, hi);
    }
  }
  for (var m = 0u; m < TM; m++) {
    if (m0 + m < rows) {
//#if silu
      finish_pair(m0 + m, n0, a[m], b[m]);
//#else
      finish(m0 + m, n0, a[m]);
      if (n0 + 1u < params.n) { finish(m0 + m, n0 + 1u, b[m]); }
//#endif
    }
  }
}
