import { byId } from '../dom.js';

/** @typedef {'connect' | 'conversations' | 'chat' | 'log'} Panel */

/** Where this matches, the panels stand side by side; else one is shown at a time. */
const wide = window.matchMedia('(min-width: 1080px)');

/**
 * Shows a panel; on a wide page all are shown already. Answers its button, for the focus that a hidden panel loses.
 *
 * @param {Panel} panel
 */
export function showPanel(panel) {
  document.body.dataset.panel = panel;
  for (const button of panelButtons()) button.removeAttribute('aria-current');
  const chosen = panelButtons().find((button) => button.dataset.panel === panel);
  if (!chosen) throw new Error(`the page has no button for the panel ${panel}`);
  chosen.setAttribute('aria-current', 'true');
  return chosen;
}

/** Whether only one panel is seen at a time. */
export function isNarrow() {
  return !wide.matches;
}

/** Makes the buttons of the narrow page work. */
export function setUpPanels() {
  for (const button of panelButtons()) {
    button.addEventListener('click', () => showPanel(/** @type {Panel} */ (button.dataset.panel)));
  }
  byId('skip-link').addEventListener('click', (event) => {
    event.preventDefault();
    showPanel('chat');
    byId('message').focus();
  });
  showPanel('connect');
}

function panelButtons() {
  return /** @type {HTMLButtonElement[]} */ ([...byId('panel-buttons').querySelectorAll('button')]);
}
