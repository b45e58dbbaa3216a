/** A message of the plain chat. */
export interface Said {
  readonly room: string;
  /** Made by the client. */
  readonly id: string;
  readonly text: string;
}
