//#if half_rows
//#include common/halves.wgsl
//#endif
// Finishes four outputs of a row, as far as there are so many; n is a multiple of four.
fn finish_four(m: u32, n: u32, v: vec4<f32>) {
//#if half_rows
  // Gated rows are f16, for the product that reads them: two in a word.
  if (params.epilogue == SILU) {
    if (n >= params.n) { return; }
    let second = select(0.0, silu(v.z) * v.w, n + 2u < params.n);
    out[m * params.out_stride + (params.n_begin + n) / 4u] = bitcast<f32>(in_f16(vec4<f32>(silu(v.x) * v.y, second, 0.0, 0.0)).x);
    return;
  }
//#endif
  if (n < params.n) { finish_pair(m, n, v.x, v.y); }
  if (n + 2u < params.n) { finish_pair(m, n + 2u, v.z, v.w); }
}
