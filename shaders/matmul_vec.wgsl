// Few rows of x (decode): every weight is read once. A subgroup (or, without subgroups, a workgroup) makes R outputs
// of MT rows of x; its lanes stride over k, 16 bytes of packed weights each.
//#if subgroups
enable subgroups;
diagnostic(off, subgroup_uniformity);
//#endif
//#include common/matmul.wgsl
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;  // [m][x_stride4]
//#if norm
@group(0) @binding(5) var<storage, read> gamma: array<vec4<f32>>;  // [x_stride4]
const SUMS: u32 = MT * R + MT;  // products, then squares by row
//#else
const SUMS: u32 = MT * R;
//#endif

//#if subgroups
//#else
var<workgroup> partial: array<f32, SUMS * WG>;
// Adds up over the workgroup, all sums in one tree: barriers are dear, and so is compiling them on CPU drivers.
fn sum_all(thread: u32, sums: ptr<function, array<f32, SUMS>>) {
  for (var i = 0u; i < SUMS; i++) { partial[i * WG + thread] = (*sums)[i]; }
  workgroupBarrier();
  for (var span = WG / 2u; span > 0u; span /= 2u) {
    if (thread < span) {
      for (var i = 0u; i < SUMS; i++) { partial[i * WG + thread] += partial[i * WG + thread + span]; }
    }
    workgroupBarrier();
  }
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
    var sums = array<f32, SUMS>();
    if (n0 < params.n) {
      for (var k = lane; k < params.k8; k += lanes) {
        var lo: array<vec4<f32>, MT>;
        var hi: array<vec4<f32>, MT>;
        for (var m = 0u; m < MT; m++) {
          let i = min(m0 + m, rows - 1u) * params.x_stride4 + 2u * k;
          lo[m] = x[i];
          hi[m] = x[i + 1u];
        }
//#if norm
        let gamma_lo = gamma[2u * k];
        let gamma_hi = gamma[2u * k + 1u];
        for (var m = 0u; m < MT; m++) {
          sums[MT * R + m] += dot(lo[m], lo[m]) + dot(hi[m], hi[m]);
          lo[m] *= gamma_lo;
          hi[m] *= gamma_hi;
        }
//#endif
        for (var r = 0u; r < R; r++) {
          let w = load_weights(min(n0 + r, params.n - 1u), k);
          for (var m = 0u; m < MT; m++) {
            sums[m * R + r] += dot(w.lo, lo[m]) + dot(w.hi, hi[m]);
          }
        }
      }
    }
//#if subgroups
    for (var i = 0u; i < SUMS; i++) { sums[i] = subgroupAdd(sums[i]); }
//#if norm
    for (var m = 0u; m < MT; m++) {
      let scale = norm_scale(sums[MT * R + m]);
      for (var r = 0u; r < R; r++) { sums[m * R + r] *= scale; }
    }
//#endif
    if (lane == 0u) {
      for (var m = 0u; m < MT; m++) {
        if (m0 + m < rows) {
          for (var r = 0u; r < R; r += 2u) {
            if (n0 + r < params.n) { finish_pair(m0 + m, n0 + r, sums[m * R + r], sums[m * R + r + 1u]); }
          }
        }
      }
    }
//#else
    sum_all(thread, &sums);
    let m = thread / (R / 2u);
    let n = n0 + 2u * (thread % (R / 2u));
    if (m < MT && m0 + m < rows && n < params.n) {
      let at = 2u * thread;
      var scale = 1.0;
//#if norm
      scale = norm_scale(partial[(MT * R + m) * WG]);
//#endif
      finish_pair(m0 + m, n, scale * partial[at * WG], scale * partial[(at + 1u) * WG]);
    }
    workgroupBarrier();  // before the next turn writes its own
//#endif
  }
}
