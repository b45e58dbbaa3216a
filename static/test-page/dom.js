/** @typedef {Node | string | null | undefined | false} Child */

/**
 * Makes an element. Children that are strings become text nodes: nothing here, or anywhere on this page, parses HTML.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, unknown>} [properties] `on…` functions listen, names with a dash and `dir`, `for`, `role` become attributes, the rest properties
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) setProperty(node, name, value);
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/**
 * @param {HTMLElement} node
 * @param {string} name
 * @param {unknown} value
 */
function setProperty(node, name, value) {
  if (value === undefined) return;
  if (typeof value === 'function' && name.startsWith('on')) {
    node.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
  } else if (typeof value === 'string' && (name.includes('-') || ['dir', 'for', 'role', 'datetime'].includes(name))) {
    node.setAttribute(name, value);
  } else {
    Reflect.set(node, name, value);
  }
}

/**
 * Text of somebody else's making, kept from reordering what stands around it.
 *
 * @param {string} text
 * @param {string} [className]
 */
export function bdi(text, className = '') {
  return el('bdi', { className, dir: 'auto' }, text);
}

/**
 * The element with this id; the page is of one piece, so a missing one is a mistake in it.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`the page has no element #${id}`);
  return /** @type {T} */ (node);
}

/**
 * Gathers calls and runs the action once before the next paint. A hidden tab paints nothing, so there a timer does it.
 *
 * @param {() => void} action
 * @returns {() => void}
 */
export function oncePerFrame(action) {
  let due = false;
  const run = () => {
    due = false;
    action();
  };
  return () => {
    if (due) return;
    due = true;
    if (document.hidden) setTimeout(run, 200);
    else requestAnimationFrame(run);
  };
}

/**
 * Puts text on the clipboard, also where the page came over plain HTTP from another machine and the clipboard API is absent.
 *
 * @param {string} text
 * @returns {Promise<boolean>} whether it worked
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No permission or no secure context: the old way still works from a click.
    const area = el('textarea', { value: text, className: 'visually-hidden', 'aria-hidden': 'true' });
    const before = document.activeElement;
    document.body.append(area);
    area.select();
    const copied = document.execCommand('copy');
    area.remove();
    if (before instanceof HTMLElement) before.focus();
    return copied;
  }
}
