// Loops count by one to a constant and are left where there is no more. For any other, Tint cannot see that it ends: it
// counts the turns in 64 bits and leaves by a second exit, and no driver unrolls such a loop.
const ENDLESS: u32 = 0x7fffffffu;
