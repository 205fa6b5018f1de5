// Few rows of x (decode): every weight is read once. A subgroup (or, without subgroups, a workgroup) makes R outputs
// of MT rows of x; its lanes stride over k, 16 bytes of packed weights each.
//#if subgroups
enable subgroups;
diagnostic(off, subgroup_uniformity);
//#endif
//#include common/matmul.wgsl
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;  // [m][x_stride4]

//#if subgroups
//#else
var<workgroup> partial: array<f32, WG>;
fn sum_all(thread: u32, value: f32) -> f32 {
  partial[thread] = value;
  workgroupBarrier();
  for (var span = WG / 2u; span > 0u; span /= 2u) {
    if (thread < span) { partial[thread] += partial[thread + span]; }
    workgroupBarrier();
  }
  let total = partial[0];
  workgroupBarrier();
  return total;
}
//#endif

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
//#if subgroups
  @builtin(subgroup_size) lanes: u32,
  @builtin(subgroup_invocation_id) lane: u32,
//#if subgroup_id
  @builtin(subgroup_id) team: u32,
//#endif
//#endif
) {
//#if subgroups
//#if subgroup_id
//#else
  let team = thread / lanes;
//#endif
  let teams = WG / lanes;
//#else
  let lanes = WG;
  let lane = thread;
  let team = 0u;
  let teams = 1u;
//#endif
  let rows = row_end();
  let m0 = row_begin() + group.y * MT;
  let stride = grid.x * teams * R;
  // The trip count is the same for a whole workgroup, so that barriers and subgroup operations stay uniform.
  for (var base = 0u; base < params.n; base += stride) {
    let n0 = base + (group.x * teams + team) * R;
    // Spelled out because Dawn does not zero an array declared without a value again on the next turn of a loop.
    var sums = array<f32, MT * R>();
    if (n0 < params.n) {
      for (var k = lane; k < params.k8; k += lanes) {
        var lo: array<vec4<f32>, MT>;
        var hi: array<vec4<f32>, MT>;
        for (var m = 0u; m < MT; m++) {
          let i = min(m0 + m, rows - 1u) * params.x_stride4 + 2u * k;
          lo[m] = x[i];
          hi[m] = x[i + 1u];
        }
        for (var r = 0u; r < R; r++) {
          let w = load_weights(min(n0 + r, params.n - 1u), k);
          for (var m = 0u; m < MT; m++) {
            sums[m * R + r] += dot(w.lo, lo[m]) + dot(w.hi, hi[m]);
          }
        }
      }
    }
    for (var i = 0u; i < MT * R; i++) {
//#if subgroups
      sums[i] = subgroupAdd(sums[i]);
//#else
      sums[i] = sum_all(thread, sums[i]);
//#endif
    }
    if (lane == 0u) {
      for (var m = 0u; m < MT; m++) {
        if (m0 + m < rows) {
          for (var r = 0u; r < R; r += 2u) {
            if (n0 + r < params.n) { finish_pair(m0 + m, n0 + r, sums[m * R + r], sums[m * R + r + 1u]); }
          }
        }
      }
    }
  }
}
