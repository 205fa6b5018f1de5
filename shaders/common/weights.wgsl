//#include common/unpack.wgsl
// A weight matrix in units of eight columns of a row, rows padded with zeros to a multiple of 32 columns. SIDE_ROWS
// rows lie side by side, one unit of each in turn, so that as many lanes read their rows with one contiguous load;
// SIDE_ROWS is 1 (row-major) where lanes share a row instead. Who includes this has `params.k8`, units of a row, and
// `stored_rows()`, rows of the part.
fn weight_index(row: u32, k: u32) -> u32 {
//#if interleaved
//#if quantized
  // CHUNK_UNITS units, 16 bytes, stay together.
  let chunk = ((row / SIDE_ROWS) * (params.k8 / CHUNK_UNITS) + k / CHUNK_UNITS) * SIDE_ROWS + row % SIDE_ROWS;
  return chunk * CHUNK_UNITS + k % CHUNK_UNITS;
//#else
  return ((row / SIDE_ROWS) * params.k8 + k) * SIDE_ROWS + row % SIDE_ROWS;
//#endif
//#else
  return row * params.k8 + k;
//#endif
}
//#if quantized
//#include common/quantized.wgsl
//#elif weights_f32
alias Unit = Eight;
@group(0) @binding(3) var<storage, read> weights: array<vec4<f32>>;
fn load_unit(i: u32) -> Unit { return Eight(weights[2u * i], weights[2u * i + 1u]); }
fn unpack_pair(p: Unit, i: u32) -> vec2<f32> {
  let half = select(p.hi, p.lo, i < 2u);
  return select(half.zw, half.xy, i % 2u == 0u);
}
fn unpack_unit(p: Unit) -> Eight { return p; }
//#else
alias Unit = vec4<u32>;
@group(0) @binding(3) var<storage, read> weights: array<vec4<u32>>;
fn load_unit(i: u32) -> Unit { return weights[i]; }
//#if weights_bf16
fn unpack_pair(p: Unit, i: u32) -> vec2<f32> { return bitcast<vec2<f32>>(vec2<u32>(p[i] << 16u, p[i] & 0xffff0000u)); }
fn unpack_unit(p: Unit) -> Eight { return unpack_bf16(p); }
//#else
fn unpack_pair(p: Unit, i: u32) -> vec2<f32> { return unpack2x16float(p[i]); }
fn unpack_unit(p: Unit) -> Eight { return unpack_f16(p); }
//#endif
//#endif
//#if quantized
//#else
fn load_weights(row: u32, k: u32) -> Eight { return unpack_unit(load_unit(weight_index(row, k))); }
//#endif
