// Many rows of x on a GPU: a 64 x 64 tile of the output per workgroup of 16 x 16 threads, 4 x 4 outputs a thread,
// both operands staged through workgroup memory 16 columns at a time. Rows of the staging tiles are padded by 4 so
// that the transposing writes do not all fall into one memory bank.
//#include common/matmul.wgsl
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;  // [m][x_stride4]

const TILE: u32 = 64u;
const TILE_K: u32 = 16u;
const PITCH: u32 = TILE + 4u;
var<workgroup> x_tile: array<f32, TILE_K * PITCH>;  // [k][m]
var<workgroup> w_tile: array<f32, TILE_K * PITCH>;  // [k][n]

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let rows = row_end();
  let m_base = row_begin() + group.y * TILE;
  let n_base = group.x * TILE;
  let tm = (thread / 16u) * 4u;
  let tn = (thread % 16u) * 4u;
  var sums: array<vec4<f32>, 4>;

  let x_row = thread / 4u;
  let x_col = thread % 4u;
  let x_from = min(m_base + x_row, rows - 1u) * params.x_stride4 + x_col;
  let w_row = thread / 2u;
  let w_col = thread % 2u;
  let w_from = min(n_base + w_row, params.n - 1u);

  for (var k8 = 0u; k8 < params.k8; k8 += 2u) {
    let v = x[x_from + 2u * k8];
    for (var i = 0u; i < 4u; i++) { x_tile[(x_col * 4u + i) * PITCH + x_row] = v[i]; }
    if (thread < 128u) {
      let w = load_weights(weight_index(w_from, w_col + k8));
      for (var i = 0u; i < 4u; i++) {
        w_tile[(w_col * 8u + i) * PITCH + w_row] = w.lo[i];
        w_tile[(w_col * 8u + 4u + i) * PITCH + w_row] = w.hi[i];
      }
    }
    workgroupBarrier();
    for (var k = 0u; k < TILE_K; k++) {
      let at = k * PITCH;
      let w = vec4<f32>(w_tile[at + tn], w_tile[at + tn + 1u], w_tile[at + tn + 2u], w_tile[at + tn + 3u]);
      for (var i = 0u; i < 4u; i++) { sums[i] += x_tile[at + tm + i] * w; }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < 4u; i++) {
    let m = m_base + tm + i;
    if (m < rows) {
      let n = n_base + tn;
      if (n < params.n) { finish_pair(m, n, sums[i].x, sums[i].y); }
      if (n + 2u < params.n) { finish_pair(m, n + 2u, sums[i].z, sums[i].w); }
    }
  }
}
