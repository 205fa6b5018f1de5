// What both samplers share: the parameters of a row, and the choice of the best token over a workgroup of WG threads.
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
const NO_TOKEN: u32 = 0xffffffffu;
const LEAST: f32 = -3.4e38;
const MOST: f32 = 3.3e38;    // scores are held below BROKEN, infinities too
const BROKEN: f32 = 3.4e38;  // the score of a NaN, with NO_TOKEN: it beats every other and so reaches the host
var<workgroup> best_scores: array<f32, WG>;
var<workgroup> best_tokens: array<u32, WG>;

fn is_nan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }

// The token of the highest score; equal scores go to the smaller id, as a plain scan would have it. For thread 0.
fn best_token(thread: u32, score: f32, token: u32) -> u32 {
  best_scores[thread] = score;
  best_tokens[thread] = token;
  workgroupBarrier();
  for (var span = WG / 2u; span > 0u; span /= 2u) {
    if (thread < span) {
      let other = best_scores[thread + span];
      let other_token = best_tokens[thread + span];
      if (other > best_scores[thread] || (other == best_scores[thread] && other_token < best_tokens[thread])) {
        best_scores[thread] = other;
        best_tokens[thread] = other_token;
      }
    }
    workgroupBarrier();
  }
  return best_tokens[0];
}
