//#include common/unpack.wgsl
// A weight matrix [rows][k8 * 8], row-major, rows padded with zeros to a multiple of 32 columns.
//#if weights_f32
@group(0) @binding(3) var<storage, read> weights: array<vec4<f32>>;
fn load_weights(i: u32) -> Eight { return Eight(weights[2u * i], weights[2u * i + 1u]); }
//#else
@group(0) @binding(3) var<storage, read> weights: array<vec4<u32>>;
//#if weights_bf16
fn load_weights(i: u32) -> Eight { return unpack_bf16(weights[i]); }
//#else
fn load_weights(i: u32) -> Eight { return unpack_f16(weights[i]); }
//#endif
//#endif
