/** What each room of `src` may import, beside itself. */
export const rooms: Readonly<Record<string, readonly string[]>>;
/** Rooms that must bundle for a browser. */
export const portable: readonly string[];
