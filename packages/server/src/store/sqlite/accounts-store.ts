import type { AccountStore } from '../account-store.ts';
import type { DatabaseThread } from './database-thread.ts';
import type { Reads, Writes } from './operations.ts';

/** The accounts of the embedded store: each method is the operation of the same name on one of its threads. */
export function sqliteAccounts(writer: DatabaseThread<Writes>, reader: DatabaseThread<Reads>): AccountStore {
  return {
    createUser: (user) => writer.ask('createUser', user),
    findUser: (userId) => reader.ask('findUser', userId),
    findUserByName: (usernameKey) => reader.ask('findUserByName', usernameKey),
    findCredentials: (key) => reader.ask('findCredentials', key),
    updateUser: (userId, changes) => writer.ask('updateUser', userId, changes),
    setActive: (userId, active) => writer.ask('setActive', userId, active),
    changePassword: (password) => writer.ask('changePassword', password),
    createSession: (session) => writer.ask('createSession', session),
    rotate: (presentedHash, successorHash, graceMs) => writer.ask('rotate', presentedHash, successorHash, graceMs),
    findLogin: (sessionId) => reader.ask('findLogin', sessionId),
    liveSessions: (sessionIds) => reader.ask('liveSessions', sessionIds),
    listSessions: (userId) => reader.ask('listSessions', userId),
    endSession: (userId, sessionId) => writer.ask('endSession', userId, sessionId),
    endSessions: (userId, keptSessionId) => writer.ask('endSessions', userId, keptSessionId),
  };
}
