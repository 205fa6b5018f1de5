//#if kv_int8
// Of int8, [block][kv head]: the quants of 16 tokens, four to a word, then their 16 scales, f32. number = scale * quant.
// Where in words a row's quants and its scale lie.
fn quant_words(row: u32) -> u32 { return row * (HDP / 4u) + row / BLOCK_TOKENS * BLOCK_TOKENS; }
fn scale_word(row: u32) -> u32 { return (row / BLOCK_TOKENS + 1u) * (BLOCK_TOKENS * (HDP / 4u)) + row; }
//#endif
