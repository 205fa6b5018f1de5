// A launch that does nothing, for what a launch costs.
@group(0) @binding(0) var<storage, read_write> sink: array<u32>;

@compute @workgroup_size(1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x == 0xffffffffu) { sink[0] = 1u; }
}
