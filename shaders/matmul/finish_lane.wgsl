// Finishes output n of row m; lanes hold neighbouring outputs, pairs of which lie in one subgroup.
fn finish_lane(m: u32, n: u32, sum: f32) {
//#if rope
  let next = subgroupShuffleXor(sum, 1u);
  if (n < params.n && n % 2u == 0u) { finish_pair(m, n, sum, next); }
//#else
  let row = m * params.out_stride;
  let at = row + params.n_begin + n;
  if (params.epilogue == SILU) {
    let next = subgroupShuffleXor(sum, 1u);
    if (n < params.n && n % 2u == 0u) { out[row + (params.n_begin + n) / 2u] = silu(sum) * next; }
  } else if (n < params.n) {
    if (params.epilogue == RESIDUAL) { out[at] += sum; } else { out[at] = sum; }
  }
//#endif
}
