import type { Account } from '@tertulia/protocol';

/** The columns of `users` that make an account. */
export const ACCOUNT_COLUMNS = 'u.id, u.username, u.email, u.full_name, u.is_active, u.is_superuser, u.created_at';

/** An account as SQLite gives it. */
export type AccountRow = Omit<Account, 'is_active' | 'is_superuser'> & { is_active: number; is_superuser: number };

/** Reads the account's columns out of a row, whatever else the row has. */
export function toAccount(found: AccountRow): Account {
  const { id, username, email, full_name, is_active, is_superuser, created_at } = found;
  return { id, username, email, full_name, is_active: is_active === 1, is_superuser: is_superuser === 1, created_at };
}
