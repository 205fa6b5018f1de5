// Eight consecutive numbers.
struct Eight { lo: vec4<f32>, hi: vec4<f32> }

fn unpack_f16(p: vec4<u32>) -> Eight {
  return Eight(
    vec4<f32>(unpack2x16float(p.x), unpack2x16float(p.y)),
    vec4<f32>(unpack2x16float(p.z), unpack2x16float(p.w)));
}

fn unpack_bf16(p: vec4<u32>) -> Eight {
  let even = bitcast<vec4<f32>>(p << vec4<u32>(16u));
  let odd = bitcast<vec4<f32>>(p & vec4<u32>(0xffff0000u));
  return Eight(vec4<f32>(even.x, odd.x, even.y, odd.y), vec4<f32>(even.z, odd.z, even.w, odd.w));
}
