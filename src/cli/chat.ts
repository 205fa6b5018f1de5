export function chat(_flags: object): Promise<number> {
  return Promise.reject(new Error('not yet'));
}
