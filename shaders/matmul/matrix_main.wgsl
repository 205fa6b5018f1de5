// Opens the entry point of a product on subgroup matrices: which TILE_M x TILE_N tile of the output a workgroup makes, and
// which SUB_M x SUB_N of it a subgroup. As text, not as functions, since Dawn leaves out checks of places in workgroup
// memory only where it sees in the function itself what they follow from.
//#include matmul/panels.wgsl
//#if pinned
enable subgroup_size_control;
//#endif

@compute @workgroup_size(THREADS)
//#if pinned
@subgroup_size(LANES)
//#endif
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
//#if subgroup_id
  @builtin(subgroup_id) own_subgroup: u32,
//#endif
  @builtin(local_invocation_index) thread: u32,
) {
//#if subgroup_id
  let subgroup = min(own_subgroup, THREADS / LANES - 1u);
//#else
  let subgroup = thread / LANES;
//#endif
  let lane = thread % LANES;
  let begin = row_begin();
  let end = row_end();

  let place = tile_of(group, groups);
  let m_base = begin + place.x * TILE_M;
  let n_base = place.y * TILE_N;
  let m_sub = (subgroup / (TILE_N / SUB_N)) * SUB_M;
  let n_sub = (subgroup % (TILE_N / SUB_N)) * SUB_N;
