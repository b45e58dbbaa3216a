import { ApiError } from '../api.js';
import { byId, copyText } from '../dom.js';
import { duration } from '../times.js';
import { announce } from './announcer.js';
import { clearProblems, showProblems } from './form-problems.js';

/**
 * Log in, register, paste a token, log out.
 *
 * @param {import('../session.js').Session} session
 * @param {() => void} onLoggedIn
 */
export function setUpAccountView(session, onLoggedIn) {
  setUpForm('login-form', (fields) => session.logIn(fields.username ?? '', fields.password ?? ''), onLoggedIn);
  setUpForm('register-form', (fields) => session.register(accountOf(fields)), onLoggedIn);
  setUpModes();
  setUpToken(session);
  byId('log-out').addEventListener('click', () => {
    void session.logOut();
    byId('login-username').focus();
  });
  session.onChange(() => render(session));
  setInterval(() => renderLifetime(session), 1_000);
  render(session);
}

/**
 * @param {string} id
 * @param {(fields: Record<string, string>) => Promise<void>} submit
 * @param {() => void} onDone
 */
function setUpForm(id, submit, onDone) {
  const form = /** @type {HTMLFormElement} */ (byId(id));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (form.getAttribute('aria-busy') === 'true') return;
    clearProblems(form);
    form.setAttribute('aria-busy', 'true');
    try {
      await submit(/** @type {Record<string, string>} */ (Object.fromEntries(new FormData(form))));
      form.reset();
      onDone();
    } catch (error) {
      showProblems(form, error instanceof ApiError ? error : new ApiError('failed', String(error), 0));
    }
    form.removeAttribute('aria-busy');
  });
}

/** @param {Record<string, string>} fields */
function accountOf({ email = '', username = '', password = '', full_name }) {
  return { email, username, password, ...(full_name ? { full_name } : {}) };
}

function setUpModes() {
  for (const mode of ['login', 'register']) {
    byId(`mode-${mode}`).addEventListener('change', () => {
      byId('login-form').hidden = mode !== 'login';
      byId('register-form').hidden = mode !== 'register';
    });
  }
}

/** @param {import('../session.js').Session} session */
function setUpToken(session) {
  const field = /** @type {HTMLTextAreaElement} */ (byId('token'));
  byId('token-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const token = field.value.trim();
    if (token === '') {
      field.focus();
      return;
    }
    void session.useToken(token);
    announce('Token taken over.');
  });
  byId('copy-token').addEventListener('click', async () => {
    announce((await copyText(field.value)) ? 'Token copied.' : 'Copying is not allowed here.');
  });
}

/** @param {import('../session.js').Session} session */
function render(session) {
  const { tokens, user, problem } = session;
  document.body.dataset.login = tokens ? 'some' : 'none';
  byId('logged-out').hidden = tokens !== null;
  byId('logged-in').hidden = tokens === null;
  byId('account-name').textContent = user ? user.username : 'Pasted token';
  byId('account-initial').textContent = user ? (Array.from(user.username)[0] ?? '?').toUpperCase() : '?';
  byId('session-problem').textContent = problem ?? '';
  byId('session-problem').hidden = problem === null;
  const field = /** @type {HTMLTextAreaElement} */ (byId('token'));
  // Not while somebody is typing another one into it.
  if (document.activeElement !== field) field.value = tokens?.accessToken ?? '';
  renderLifetime(session);
}

/** @param {import('../session.js').Session} session */
function renderLifetime({ tokens }) {
  const text = tokens ? lifetimeText(tokens, Date.now()) : '';
  const node = byId('account-lifetime');
  if (node.textContent !== text) node.textContent = text;
}

/**
 * @param {import('../tokens.js').Tokens} tokens
 * @param {number} now
 */
function lifetimeText({ expiresAt, refreshToken }, now) {
  if (expiresAt === null) return 'No end known, cannot be renewed';
  if (expiresAt <= now) return refreshToken ? 'Token ended; renewing' : 'Token ended';
  return `Token ends in ${duration(expiresAt - now)}${refreshToken ? ', renews by itself' : ', cannot be renewed'}`;
}
