// Many rows of x on a driver that runs shaders on the CPU: no workgroup memory, because barriers are dear there.
// A workgroup shares TM rows of x, whose addresses are then the same for all lanes. A thread makes TM x 4 outputs:
// larger tiles spill (docs/performance.md).
//#include matmul/matmul.wgsl
//#include matmul/finish_four.wgsl
//#include matmul/prompt_in.wgsl

const TN: u32 = 4u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let rows = row_end();
  let m0 = row_begin() + group.y * TM;
  let n0 = (group.x * WG + thread) * TN;
  if (n0 >= params.n) { return; }
  var sums: array<vec4<f32>, TM>;  // of TN outputs each
  for (var k = 0u; k < MOST_TURNS; k++) {
    if (k >= params.k8) { break; }
    let a = load_weights(n0, k);
    let b = load_weights(min(n0 + 1u, params.n - 1u), k);
    let c = load_weights(min(n0 + 2u, params.n - 1u), k);
    let d = load_weights(min(n0 + 3u, params.n - 1u), k);
    for (var m = 0u; m < TM; m++) {
      let i = min(m0 + m, rows - 1u) * row_fours() + 2u * k;
      let lo = four_of_row(i);
      let hi = four_of_row(i + 1u);
      sums[m] += vec4<f32>(
        dot(a.lo, lo) + dot(a.hi, hi),
        dot(b.lo, lo) + dot(b.hi, hi),
        dot(c.lo, lo) + dot(c.hi, hi),
        dot(d.lo, lo) + dot(d.hi, hi));
    }
  }
  for (var m = 0u; m < TM; m++) {
    if (m0 + m < rows) {
      finish_four(m0 + m, n0, sums[m]);
    }
  }
}
