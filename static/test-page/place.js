/**
 * Where a reload comes back to.
 *
 * @typedef {{isConnected: boolean, options: import('./connection.js').ConnectionOptions, conversationId: string}} Place
 */

const STORAGE_KEY = 'tertulia.place';

/** @param {Place} place */
export function storePlace(place) {
  try {
    sessionStorage.setItem(STORAGE_KEY, JSON.stringify(place));
  } catch {
    // Storage is blocked: a reload begins anew.
  }
}

/** @returns {Place | null} */
export function readPlace() {
  try {
    const place = JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? 'null');
    return Array.isArray(place?.options?.transports) ? place : null;
  } catch {
    // Storage is blocked or damaged: begin anew.
    return null;
  }
}
