import { ChatError, usernameSchema } from '@tertulia/protocol';

const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;

/**
 * The one form in which names are compared: without what cannot be seen, NFKC, and case-folded. JavaScript has no
 * case folding; upper then lower case gives the same classes for letters (ß as ss, both Greek sigmas, ſ as s).
 * Look-alikes of different scripts (Latin a, Cyrillic а) stay different: telling them apart needs a table that
 * would also refuse honest names.
 */
function fold(name: string): string {
  const visible = name.trim().replaceAll(IGNORABLE, '').normalize('NFKC');
  return visible.toUpperCase().toLowerCase().normalize('NFKC').trim();
}

/** What a person typed to sign in, in the form of the keys: a username's, or with an `@` an email's. */
export function loginKey(typed: string): string {
  return fold(typed);
}

/** An email's canonical form. */
export function emailKey(email: string): string {
  return fold(email);
}

/**
 * A username's canonical form, which must itself be a name: one made of invisible letters only, or of a letter
 * that NFKC takes apart into spaces or an `@`, is none.
 * @throws {ChatError} `invalid_payload`
 */
export function usernameKey(username: string): string {
  const key = fold(username);
  if (usernameSchema.safeParse(key).success) return key;
  throw new ChatError('invalid_payload', {
    message: 'This username has characters that cannot be told apart. Choose another.',
  });
}
