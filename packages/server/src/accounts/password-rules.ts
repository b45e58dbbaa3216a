import { readFileSync } from 'node:fs';
import { ChatError, codePoints } from '@tertulia/protocol';

const MIN = 8;
const MAX = 1_000;

/** Checks a new password. @throws {ChatError} `weak_password` with what to do */
export type PasswordRules = (password: string) => void;

/** The rules for new passwords: 8 to 1,000 characters of any kind, and in production none of the 3,000 most common. */
export function createPasswordRules(environment: 'development' | 'production'): PasswordRules {
  const common = environment === 'production' ? readCommonPasswords() : new Set<string>();
  return (password) => {
    const length = codePoints(password.normalize('NFC'));
    if (!password.isWellFormed()) refuse('A password is text; this one holds half a character.');
    if (length < MIN) refuse(`A password has at least ${MIN} characters.`);
    if (length > MAX) refuse(`A password has at most ${MAX} characters.`);
    if (common.has(password.toLowerCase())) refuse('This password is among the most common ones. Choose another.');
  };
}

function refuse(message: string): never {
  throw new ChatError('weak_password', { message });
}

function readCommonPasswords(): Set<string> {
  const text = readFileSync(new URL('common-passwords.txt', import.meta.url), 'utf8');
  return new Set(text.split('\n').filter((line) => line !== '' && !line.startsWith('#')));
}
