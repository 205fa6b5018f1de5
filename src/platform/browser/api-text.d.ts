/** `serving/fetch.ts` as a text, all in one piece; written by `scripts/build-browser.mjs`. */
declare const text: string;
export default text;
