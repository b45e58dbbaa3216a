/** What a check found: all is well; something is worth knowing; something keeps the server from its work. */
export type State = 'ok' | 'warning' | 'problem';

/** One thing that was looked at, how it is, and where it is not well what to do. */
export interface Finding {
  readonly check: string;
  readonly state: State;
  readonly message: string;
  readonly advice?: string;
}

/** All is well. */
export function ok(check: string, message: string): Finding {
  return { check, state: 'ok', message };
}

/** It works, and is worth a look. */
export function warning(check: string, message: string, advice: string): Finding {
  return { check, state: 'warning', message, advice };
}

/** The server cannot work like this. */
export function problem(check: string, message: string, advice: string): Finding {
  return { check, state: 'problem', message, advice };
}
