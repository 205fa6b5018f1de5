//#include matmul/finish_four.wgsl
// The order in which a grid of output tiles is made: PANEL tiles of rows under each other before the next outputs are,
// so that x and the weights of the workgroups that run together stay in the cache.
const PANEL: u32 = 8u;

// (row tile, output tile) of a workgroup.
fn tile_of(group: vec3<u32>, groups: vec3<u32>) -> vec2<u32> {
  let order = group.y * groups.x + group.x;
  let panel = order / (PANEL * groups.x);
  let height = min(PANEL, groups.y - panel * PANEL);
  let within = order - panel * PANEL * groups.x;
  return vec2<u32>(panel * PANEL + within % height, within / height);
}
