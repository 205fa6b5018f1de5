// Bandwidth of device memory and nothing else: reads all of `source` (or copies it to `target`), 16 bytes a lane.
// SPAN is how many neighbouring vectors one thread takes: 1 puts lanes side by side, as a GPU wants it.
struct Params { vectors: u32, threads: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> sink: array<vec4<u32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
//#if copies
  for (var i = id.x * SPAN; i < params.vectors; i += params.threads * SPAN) {
    for (var j = 0u; j < SPAN; j++) { sink[i + j] = source[i + j]; }
  }
//#else
  var sum = vec4<u32>(0u);
  for (var i = id.x * SPAN; i < params.vectors; i += params.threads * SPAN) {
    for (var j = 0u; j < SPAN; j++) { sum ^= source[i + j]; }
  }
  // Never true for the data used, but the compiler cannot know, so the reads must happen.
  if (sum.x == 0x9e3779b9u && sum.y == 1u) { sink[0] = sum; }
//#endif
}
