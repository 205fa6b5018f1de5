struct Attention {
  scale: f32,
  out_stride: u32,  // row stride of the output in vec2
  eighths: u32,     // HDP / 8
//#if window
  window: u32,      // tokens that a token sees, itself included
//#endif
}
//#if window
// The first token that a token at a position sees.
fn first_seen(position: u32) -> u32 { return position + 1u - min(position + 1u, params.window); }
//#endif
// How often a score reads eight columns. CPU drivers get a bound they cannot see through: unrolled, the loop took them
// twice as long to compile and half as long again to run.
//#if rolled
fn head_eighths() -> u32 { return params.eighths; }
//#else
fn head_eighths() -> u32 { return HDP / 8u; }
//#endif
