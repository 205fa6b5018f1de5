/** The known name that one nobody knows was meant to be: the same but for its case, or for one letter. */
export function meantBy(name: string, known: ReadonlySet<string>): string | undefined {
  if (name.length < 4 || name.length > 32) return undefined;
  const plain = (text: string): string => text.replace(/[_-]/g, '').toLowerCase();
  for (const each of known) {
    if (plain(each) === plain(name) || (each.length > 4 && oneSlip(each, name))) return each;
  }
  return undefined;
}

/** Whether two words differ by one letter changed, left out or put in, or by two neighbours in each other's place. */
function oneSlip(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let from = 0;
  while (from < a.length && a[from] === b[from]) from++;
  let end = 0;
  const most = Math.min(a.length, b.length) - from;
  while (end < most && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const [left, right] = [a.slice(from, a.length - end), b.slice(from, b.length - end)];
  if (left.length <= 1 && right.length <= 1) return true;
  return left.length === 2 && right.length === 2 && left[0] === right[1] && left[1] === right[0];
}
