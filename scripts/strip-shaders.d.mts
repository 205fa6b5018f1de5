/** What a WGSL compiler does not read is left out: comments, but for our directives, and the space around lines and signs. */
export function stripWgsl(text: string): string;
