/** The moments on a message's way, and on its answer's, at which a server can be made to die. */
export const FAILPOINTS = [
  'before the append is asked for',
  'before the commit',
  'after the commit',
  'before the event is emitted',
  'after the event is emitted',
  'before the acknowledgement',
  'after the acknowledgement',
  'once the acknowledgement is written',
  'after a delta',
  'before a checkpoint is asked for',
] as const;

export type Failpoint = (typeof FAILPOINTS)[number];

/** The variable that tells a server's process where to die, as `point/n`: when it comes by for the nth time. */
export const FAIL_AT = 'FAIL_AT';
