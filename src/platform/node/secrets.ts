import { createHash, timingSafeEqual } from 'node:crypto';

/** Environment variables that hold secrets, some of them several. */
const NAMES = [
  'HF_TOKEN',
  'HUGGING_FACE_HUB_TOKEN',
  'RIDGEPOINT_API_KEY',
  'RIDGEPOINT_CLUSTER_TOKEN',
  'OPENAI_API_KEY',
];
/** Shorter ones would take words out of messages, and are no secrets. */
const SHORTEST = 6;

const known = new Set<string>();

/** Has `withoutSecrets` leave out this text, which came from a file or an option. */
export function keepSecret(text: string): void {
  known.add(text);
}

/** A message without the access tokens and keys that this process knows, whoever put them into it. */
export function withoutSecrets(text: string): string {
  const values = [...known, ...NAMES.flatMap((name) => (process.env[name] ?? '').split(/[\s,]+/))];
  return values
    .filter((value) => value.length >= SHORTEST)
    .sort((a, b) => b.length - a.length)
    .reduce((shown, value) => shown.replaceAll(value, '***'), text);
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Whether two secrets are the same, in a time that tells nothing about either, their lengths included. */
export function isSameSecret(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}
