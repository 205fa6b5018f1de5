/** An event that is JSON already, and its name. */
export class NamedEvent {
  constructor(
    readonly type: string,
    readonly json: string,
  ) {}
}
