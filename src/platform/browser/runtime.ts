interface Brand {
  readonly brand: string;
  readonly version: string;
}

/** `Chrome 147`, `Firefox 153`: what a figure was measured in, and what stands for a driver that a browser does not name. */
export function browserName(): string {
  const { userAgent } = navigator;
  const { userAgentData } = navigator as { userAgentData?: { brands?: readonly Brand[] } };
  // One of the brands is made up, so that nobody relies on their order.
  const brands = userAgentData?.brands?.filter(({ brand }) => !/not.?a.?brand/i.test(brand)) ?? [];
  const own = brands.find(({ brand }) => brand !== 'Chromium') ?? brands.at(0);
  if (own !== undefined) return `${own.brand.replace(/^(Google |Headless)/, '')} ${own.version}`;
  const found =
    /(Firefox|Edg|HeadlessChrome|Chrome)\/(\d+)/.exec(userAgent) ?? /(Version)\/([\d.]+).*Safari/.exec(userAgent);
  if (found === null) return 'a browser';
  const names: Record<string, string> = { Edg: 'Edge', HeadlessChrome: 'Chrome', Version: 'Safari' };
  return `${names[found[1]] ?? found[1]} ${found[2]}`;
}

export const isFirefox = (): boolean => /\bFirefox\//.test(navigator.userAgent);
