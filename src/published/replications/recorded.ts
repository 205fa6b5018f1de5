/**
 * What runs that search for minutes came to when they were last made, for pages that cannot wait for them. A test of CI
 * makes them again and holds these to them; `ridgepoint simulate replicate NAME` shows them beside what was published.
 */
export const RECORDED = {
  'spad-provision': {
    'coding, normal: Sarathi, machines': '32',
    'coding, normal: Splitwise-homo, machines': '18+3',
    'coding, normal: Splitwise-hetero, machines': '18+16',
    'coding, normal: Splitwise-pcap, machines': '18+3',
    'coding, normal: SPAD, machines': '15+3',
    'conversation, normal: Sarathi, machines': 'none of up to 48 + 48',
    'conversation, normal: Splitwise-homo, machines': '11+10',
    'conversation, normal: Splitwise-hetero, machines': '11+43',
    'conversation, normal: Splitwise-pcap, machines': '11+11',
    'conversation, normal: SPAD, machines': '9+11',
  },
  'spad-slos': {
    'coding, loose: Sarathi, machines': '29',
    'coding, loose: Splitwise-homo, machines': '17+3',
    'coding, loose: Splitwise-hetero, machines': '17+6',
    'coding, loose: Splitwise-pcap, machines': '17+3',
    'coding, loose: SPAD, machines': '14+3',
    'coding, tight: Sarathi, machines': 'none of up to 48 + 48',
    'coding, tight: Splitwise-homo, machines': '19+4',
    'coding, tight: Splitwise-hetero, machines': 'none of up to 48 + 48',
    'coding, tight: Splitwise-pcap, machines': '19+4',
    'coding, tight: SPAD, machines': '16+4',
    'conversation, loose: Sarathi, machines': 'none of up to 48 + 48',
    'conversation, loose: Splitwise-homo, machines': '10+10',
    'conversation, loose: Splitwise-hetero, machines': '10+22',
    'conversation, loose: Splitwise-pcap, machines': '10+10',
    'conversation, loose: SPAD, machines': '8+11',
    'conversation, tight: Sarathi, machines': 'none of up to 48 + 48',
    'conversation, tight: Splitwise-homo, machines': '12+14',
    'conversation, tight: Splitwise-hetero, machines': 'none of up to 48 + 48',
    'conversation, tight: Splitwise-pcap, machines': '12+14',
    'conversation, tight: SPAD, machines': '10+15',
  },
  'spad-reallocate': {
    'bloom-176b, 18P+7D on conversation: requests/s after moving': '53',
    'bloom-176b, 8P+17D on coding: requests/s after moving': '73',
    'the same, Fig. 10: requests/s within the loose, normal and tight SLO, 8P moved': '60 / 53 / below 10',
    'the same, Fig. 10: requests/s within the loose, normal and tight SLO, 14D moved': '78 / 73 / 60',
  },
  'spad-models': {
    'llama-3.1-70b, 18P+7D on coding: requests/s after moving': '190',
    'llama-3.1-70b, 8P+17D on conversation: requests/s after moving': '210',
    'deepseek-v2, 18P+7D on coding: requests/s after moving': '160',
    'deepseek-v2, 8P+17D on conversation: requests/s after moving': '73',
  },
  'blog-strategies': {
    'shared: TTFT p50, TTFT p99, ITL p50, ITL p99, tok/s': '90 / 428 / 17 / 209 / 1558',
    'chunks of 512: TTFT p50, TTFT p99, ITL p50, ITL p99, tok/s': '132 / 631 / 17 / 49 / 1401',
    'chunks of 2048: TTFT p50, TTFT p99, ITL p50, ITL p99, tok/s': '92 / 478 / 17 / 141 / 1599',
    'disaggregated: TTFT p50, TTFT p99, ITL p50, ITL p99, tok/s': '162 / 971 / 29 / 31 / 847',
    'priority: TTFT p50, TTFT p99, ITL p50, ITL p99, tok/s': '228 / 1816 / 18 / 34 / 878',
  },
} as const satisfies Record<string, Record<string, string>>;
