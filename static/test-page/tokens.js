/**
 * @typedef {object} Tokens
 * @property {string} accessToken
 * @property {string | null} refreshToken null for a pasted access token
 * @property {number | null} expiresAt the access token's end by this machine's clock, in Unix milliseconds
 * @property {number | null} lifetime milliseconds that the access token was given
 */

const STORAGE_KEY = 'tertulia.session';

/**
 * @param {{access_token: string, refresh_token: string, expires_in: number}} answer of a login or renewal
 * @returns {Tokens}
 */
export function tokensOfAnswer(answer) {
  const lifetime = answer.expires_in * 1_000;
  return {
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token,
    expiresAt: Date.now() + lifetime,
    lifetime,
  };
}

/**
 * Reads `exp` for the display only; whether a token is good is the server's to say.
 *
 * @param {string} accessToken
 * @returns {Tokens}
 */
export function tokensOfPaste(accessToken) {
  const tokens = { accessToken, refreshToken: null, expiresAt: null, lifetime: null };
  try {
    const claims = (accessToken.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const { exp } = JSON.parse(atob(claims));
    return typeof exp === 'number' ? { ...tokens, expiresAt: exp * 1_000 } : tokens;
  } catch {
    // Not a JWT: the server will say so when it is used.
    return tokens;
  }
}

/** @returns {Tokens | null} what this tab had before a reload */
export function readTokens() {
  try {
    const stored = JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? 'null');
    return typeof stored?.accessToken === 'string' ? stored : null;
  } catch {
    // Storage is blocked or damaged: begin logged out.
    return null;
  }
}

/** @param {Tokens | null} tokens */
export function storeTokens(tokens) {
  try {
    if (tokens) sessionStorage.setItem(STORAGE_KEY, JSON.stringify(tokens));
    else sessionStorage.removeItem(STORAGE_KEY);
  } catch {
    // Storage is blocked: the login lasts until a reload.
  }
}
