//#include common/row.wgsl
// Pair i of a head of [heads q | kv heads k | kv heads v] at a position: the two numbers a rotation mixes are neighbours
// (the rows of the q and k projections were put so at load). Values stay as they are. Wants `angles` declared.
fn rotate(position: u32, head: u32, i: u32, v: vec2<f32>) -> vec2<f32> {
  if (head >= HEADS + KV_HEADS) { return v; }
  let a = angles[position * HALF + i];
  return vec2<f32>(v.x * a.x - v.y * a.y, v.x * a.y + v.y * a.x);
}

// The row of the cache that a place has for a KV head, as `kv_row` finds it.
fn kv_place(kv_index: u32, kv_head: u32) -> u32 {
  return ((kv_index / BLOCK_TOKENS) * KV_HEADS + kv_head) * BLOCK_TOKENS + kv_index % BLOCK_TOKENS;
}
