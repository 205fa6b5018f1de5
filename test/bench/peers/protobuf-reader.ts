/** One field of a protocol-buffer message: a number, or bytes that may be text or another message. */
export interface Field {
  readonly field: number;
  readonly value: number;
  readonly bytes: Uint8Array;
}

/** Takes a message apart; packed and grouped fields do not occur. */
export function fields(message: Uint8Array): Field[] {
  const list: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const field = tag >>> 3;
    let value = 0;
    let bytes: Uint8Array = new Uint8Array();
    if ((tag & 7) === 0) value = varint();
    else {
      const length = (tag & 7) === 5 ? 4 : varint();
      bytes = message.subarray(at, (at += length));
    }
    list.push({ field, value, bytes });
  }
  return list;
}

export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
