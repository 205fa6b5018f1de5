// Eight numbers in f16.
fn halves(lo: vec4<f32>, hi: vec4<f32>) -> vec4<u32> {
  return vec4<u32>(pack2x16float(lo.xy), pack2x16float(lo.zw), pack2x16float(hi.xy), pack2x16float(hi.zw));
}

// Numbers that f16 may be too small for: what is larger than its largest becomes that; NaN stays.
const MOST_F16: f32 = 65504.0;
fn in_f16(v: vec4<f32>) -> vec2<u32> {
  let below = select(v, vec4<f32>(MOST_F16), v > vec4<f32>(MOST_F16));
  let within = select(below, vec4<f32>(-MOST_F16), below < vec4<f32>(-MOST_F16));
  return vec2<u32>(pack2x16float(within.xy), pack2x16float(within.zw));
}
