//#include common/loops.wgsl
// What both samplers share: the parameters of a row, its logits four at a time, and the choice of the best token over a
// workgroup of WG threads.
struct Sampling {
  slot: u32,
  flags: u32,          // 1: tokens are counted (penalties) and biased through the state table; 2: the slot's mask holds
  temperature: f32,    // 0: greedy
  top_k: u32,          // 0: off
  top_p: f32,          // 1: off
  min_p: f32,          // 0: off
  repetition: f32,     // 1: off
  presence: f32,
  frequency: f32,
  seed: u32,
  draw: u32,           // index of this token in its generation
  reserved: u32,
}
struct Params { vocab: u32, stride4: u32 } // row stride of logits in vec4
const NO_TOKEN: u32 = 0xffffffffu;
const LEAST: f32 = -3.4e38;
const MOST: f32 = 3.3e38;    // scores are held below BROKEN, infinities too
const BROKEN: f32 = 3.4e38;  // the score of a NaN, with NO_TOKEN: it beats every other and so reaches the host

fn is_nan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }

// A token that scores higher; of equal ones the smaller id, as a plain scan would have it.
struct Scored { score: f32, token: u32 }
fn better(a: Scored, b: Scored) -> Scored {
  if (b.score > a.score || (b.score == a.score && b.token < a.token)) { return b; }
  return a;
}

// The token of the highest score over the workgroup; equal scores go to the smaller id. For thread 0.
//#if subgroups
var<workgroup> team_bests: array<Scored, WG / 4u>;  // no adapter has subgroups of fewer than four lanes

fn best_of_team(mine: Scored) -> Scored {
  let score = subgroupMax(mine.score);
  return Scored(score, subgroupMin(select(NO_TOKEN, mine.token, mine.score == score)));
}

fn best_token(thread: u32, lanes: u32, mine: Scored) -> u32 {
  let team = best_of_team(mine);
  if (thread % lanes == 0u) { team_bests[thread / lanes] = team; }
  workgroupBarrier();
  var best = Scored(LEAST, NO_TOKEN);
  for (var n = 0u; n < ENDLESS; n++) {
    let i = thread % lanes + n * lanes;
    if (i >= WG / lanes) { break; }
    best = better(best, team_bests[i]);
  }
  return best_of_team(best).token;
}
//#else
var<workgroup> bests: array<Scored, WG>;

fn best_token(thread: u32, lanes: u32, mine: Scored) -> u32 {
  bests[thread] = mine;
  workgroupBarrier();
  for (var n = 1u; n < 32u; n++) {
    let span = WG >> n;
    if (span == 0u) { break; }
    if (thread < span) { bests[thread] = better(bests[thread], bests[thread + span]); }
    workgroupBarrier();
  }
  return bests[0].token;
}
//#endif
