const YEAR_MONTH_DAY = ((): string => {
  const long = '(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])';
  const short = '(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)';
  const february = '02-(?:0[1-9]|1\\d|2[0-8])';
  const fours = '(?:0[48]|[2468][048]|[13579][26])';
  const leap = `(?:\\d\\d${fours}|(?:00|${fours})00)`; // by four, by a hundred only if by four hundred
  return `(?:\\d{4}-(?:${long}|${short}|${february})|${leap}-02-29)`;
})();
const TIME = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)';
const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';

/**
 * Formats that are enforced, as patterns: dates and times of RFC 3339 that exist, without leap seconds, with at most
 * nine decimals of a second. Any other format is an annotation, as JSON Schema has it by default.
 */
export const FORMATS: Readonly<Record<string, string>> = {
  date: `^${YEAR_MONTH_DAY}$`,
  time: `^${TIME}$`,
  'date-time': `^${YEAR_MONTH_DAY}T${TIME}$`,
  uuid: '^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$',
  ipv4: `^${OCTET}(?:\\.${OCTET}){3}$`,
};
