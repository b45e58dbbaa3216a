/**
 * The extended protocol's version. A client names it in its handshake (`auth.protocol`); one that names
 * none speaks the base layer. Any change of a schema on the wire needs a new number: the guard in
 * `test/wire.test.ts` compares the schemas with `wire/<version>.json`.
 */
export const PROTOCOL_VERSION = 1;

/** Every protocol number that a server of this version accepts in `auth.protocol`. */
export const SPOKEN_PROTOCOLS: readonly number[] = [PROTOCOL_VERSION];
