import { byId } from '../dom.js';

/**
 * Tells a screen reader something, politely: finished messages and changes of state, never single tokens.
 *
 * @param {string} text
 */
export function announce(text) {
  const region = byId('announcer');
  const line = document.createElement('p');
  line.textContent = text;
  region.append(line);
  while (region.childElementCount > 5) region.firstElementChild?.remove();
}
