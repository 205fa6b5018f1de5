// Rotates a pair of numbers of a row of queries and keys and puts it where attention finds it: queries in `queries`,
// keys and values in the paged cache. Wants `rows`, `angles`, `queries`, `keys` and `values` declared.
//#include common/rotate.wgsl
//#if kv_f32
alias Filed = vec2<f32>;
fn pack(v: vec2<f32>) -> Filed { return v; }
//#else
alias Filed = u32;
fn pack(v: vec2<f32>) -> Filed { return pack2x16float(clamp(v, vec2<f32>(-65504.0), vec2<f32>(65504.0))); }
//#endif

// Pair `at` of row m of [heads q | kv heads k | kv heads v][HALF].
fn file_pair(m: u32, at: u32, pair: vec2<f32>) {
  let row = rows[m];
  let head = at / HALF;
  let i = at % HALF;
  let v = rotate(row.position, head, i, pair);
  if (head < HEADS) {
    queries[(m * HEADS + head) * (HDP / 2u) + i] = v;
    return;
  }
  let to = kv_place(row.kv_index, (head - HEADS) % KV_HEADS) * (HDP / 2u) + i;
  if (head < HEADS + KV_HEADS) { keys[to] = pack(v); } else { values[to] = pack(v); }
}
