// Sums and maxima over a workgroup of WG threads. Call from uniform control flow; the result is uniform, so it may
// steer control flow around further barriers. `thread` is the local index.
//#if subgroups
const TEAM_SLOTS: u32 = WG / 4u;  // no adapter has subgroups of fewer than four lanes
//#else
const TEAM_SLOTS: u32 = WG;
//#endif
var<workgroup> team_values: array<f32, TEAM_SLOTS>;
var<workgroup> agreed: f32;

//#if subgroups
fn workgroup_sum(thread: u32, lanes: u32, value: f32) -> f32 {
  let team_sum = subgroupAdd(value);
  if (thread % lanes == 0u) { team_values[thread / lanes] = team_sum; }
  workgroupBarrier();
  if (thread == 0u) {
    var total = 0.0;
    for (var i = 0u; i < WG / lanes; i++) { total += team_values[i]; }
    agreed = total;
  }
  return workgroupUniformLoad(&agreed);
}
fn workgroup_max(thread: u32, lanes: u32, value: f32) -> f32 {
  let team_max = subgroupMax(value);
  if (thread % lanes == 0u) { team_values[thread / lanes] = team_max; }
  workgroupBarrier();
  if (thread == 0u) {
    var best = team_values[0];
    for (var i = 1u; i < WG / lanes; i++) { best = max(best, team_values[i]); }
    agreed = best;
  }
  return workgroupUniformLoad(&agreed);
}
//#else
fn workgroup_sum(thread: u32, lanes: u32, value: f32) -> f32 {
  team_values[thread] = value;
  workgroupBarrier();
  for (var span = WG / 2u; span > 0u; span /= 2u) {
    if (thread < span) { team_values[thread] += team_values[thread + span]; }
    workgroupBarrier();
  }
  if (thread == 0u) { agreed = team_values[0]; }
  return workgroupUniformLoad(&agreed);
}
fn workgroup_max(thread: u32, lanes: u32, value: f32) -> f32 {
  team_values[thread] = value;
  workgroupBarrier();
  for (var span = WG / 2u; span > 0u; span /= 2u) {
    if (thread < span) { team_values[thread] = max(team_values[thread], team_values[thread + span]); }
    workgroupBarrier();
  }
  if (thread == 0u) { agreed = team_values[0]; }
  return workgroupUniformLoad(&agreed);
}
//#endif
