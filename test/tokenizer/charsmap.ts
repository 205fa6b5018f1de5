/** GPT-2's character for a byte. */
export function byteCharacter(byte: number): string {
  const isPrintable = (b: number): boolean => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  if (isPrintable(byte)) return String.fromCharCode(byte);
  const before = Array.from({ length: byte }, (_, b) => b).filter((b) => !isPrintable(b)).length;
  return String.fromCharCode(0x100 + before);
}

interface Node {
  readonly children: Map<number, Node>;
  value?: number;
}

/** SentencePiece's `precompiled_charsmap` of a few replacements: darts-clone's double array, filled in first fit. */
export function charsmap(replacements: Readonly<Record<string, string>>): string {
  const utf8 = new TextEncoder();
  const root: Node = { children: new Map() };
  const texts: number[] = [];
  for (const [key, text] of Object.entries(replacements)) {
    let node = root;
    for (const byte of utf8.encode(key)) {
      let child = node.children.get(byte);
      if (child === undefined) node.children.set(byte, (child = { children: new Map() }));
      node = child;
    }
    node.value = texts.length;
    texts.push(...utf8.encode(text), 0);
  }
  const units = new Uint32Array(0x2000);
  const taken = new Set([0]);
  const place = (node: Node, at: number, label: number): void => {
    const labels = [...node.children.keys(), ...(node.value === undefined ? [] : [0])];
    let base = 1;
    while (labels.some((each) => taken.has(base ^ each)) || (base ^ at) === 0) base++;
    for (const each of labels) taken.add(base ^ each);
    units[at] = (label | (node.value === undefined ? 0 : 0x100) | ((base ^ at) << 10)) >>> 0;
    if (node.value !== undefined) units[base] = (0x80000000 | node.value) >>> 0;
    for (const [byte, child] of node.children) place(child, base ^ byte, byte);
  };
  place(root, 0, 0);
  const bytes = new Uint8Array(4 + 4 * units.length + texts.length);
  new DataView(bytes.buffer).setUint32(0, 4 * units.length, true);
  bytes.set(new Uint8Array(units.buffer), 4);
  bytes.set(texts, 4 + 4 * units.length);
  return Buffer.from(bytes).toString('base64');
}
