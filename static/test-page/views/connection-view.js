import { byId } from '../dom.js';
import { announce } from './announcer.js';
import { duration } from '../times.js';

/** @typedef {import('../connection.js').Connection} Connection */

const WORDS = {
  disconnected: 'Disconnected',
  connecting: 'Connecting…',
  connected: 'Connected',
  reconnecting: 'Reconnecting',
  refused: 'Refused',
};

/**
 * Connect, disconnect, protocol and transport, and the state in words.
 *
 * @param {Connection} connection
 * @param {import('../session.js').Session} session
 */
export function setUpConnectionView(connection, session) {
  const connect = () => connection.connect(chosenOptions());
  byId('connect').addEventListener('click', () => {
    if (connection.isActive) connection.disconnect();
    else if (session.tokens) connect();
    else askForLogin();
  });
  byId('retry-now').addEventListener('click', () => connection.retryNow());
  for (const id of ['protocol-1', 'protocol-base', 'transport']) {
    byId(id).addEventListener('change', () => {
      if (connection.isActive) connect();
    });
  }
  let announced = '';
  connection.onChange(() => {
    render(connection, session);
    const words = `${WORDS[connection.state]}. ${connection.reason}`;
    if (words !== announced) announce(words);
    announced = words;
  });
  session.onChange(() => render(connection, session));
  setInterval(() => renderState(connection), 500);
  render(connection, session);
}

/** The protocol and transport that the page's controls say. */
export function chosenOptions() {
  const { value } = /** @type {HTMLSelectElement} */ (byId('transport'));
  const isBase = /** @type {HTMLInputElement} */ (byId('protocol-base')).checked;
  return { protocol: /** @type {'base' | '1'} */ (isBase ? 'base' : '1'), transports: value.split(',') };
}

/**
 * Sets the controls to what was chosen before a reload.
 *
 * @param {import('../connection.js').ConnectionOptions} options
 */
export function showOptions({ protocol, transports }) {
  const id = protocol === 'base' ? 'protocol-base' : 'protocol-1';
  /** @type {HTMLInputElement} */ (byId(id)).checked = true;
  /** @type {HTMLSelectElement} */ (byId('transport')).value = transports.join(',');
}

function askForLogin() {
  showDetail('Log in first, or paste an access token.', true);
  byId('login-username').focus();
}

/**
 * @param {Connection} connection
 * @param {import('../session.js').Session} session
 */
function render(connection, session) {
  byId('connect').textContent = connection.isActive ? 'Disconnect' : 'Connect';
  byId('connect').classList.toggle('primary', !connection.isActive);
  byId('retry-now').hidden = connection.state !== 'reconnecting';
  showDetail(detail(connection, session), connection.state === 'refused');
  byId('connection-detail').classList.toggle('next', connection.state === 'disconnected');
  renderState(connection);
}

/** @param {Connection} connection */
function renderState({ state, retryAt }) {
  const wait = retryAt === null ? '' : ` in ${duration(retryAt - Date.now())}`;
  const text = WORDS[state] + wait;
  byId('state').dataset.state = state;
  if (byId('state-text').textContent !== text) byId('state-text').textContent = text;
}

/**
 * @param {Connection} connection
 * @param {import('../session.js').Session} session
 */
function detail(connection, session) {
  if (connection.state === 'disconnected' && session.user) return 'Logged in. Now connect.';
  if (connection.state !== 'connected') return connection.reason;
  const name = connection.welcome?.user?.username ?? '';
  const protocol = connection.isExtended ? 'protocol 1' : 'base layer';
  return `As ${name}, ${protocol}, ${connection.transport}`;
}

/**
 * @param {string} text
 * @param {boolean} isBad
 */
function showDetail(text, isBad) {
  const node = byId('connection-detail');
  node.textContent = text;
  node.hidden = text === '';
  node.classList.toggle('bad', isBad);
}
