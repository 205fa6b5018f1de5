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
  'spad-reallocate': {
    'bloom-176b, 18P+7D on conversation: requests/s after moving': '53',
    'bloom-176b, 8P+17D on coding: requests/s after moving': '73',
  },
} as const satisfies Record<string, Record<string, string>>;
