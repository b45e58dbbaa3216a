import { bdi, el } from '../dom.js';

/** @param {HTMLFormElement} form */
export function clearProblems(form) {
  for (const node of form.querySelectorAll('.field-problem, .form-problem')) node.remove();
  for (const field of form.querySelectorAll('[aria-invalid]')) {
    field.removeAttribute('aria-invalid');
    field.removeAttribute('aria-describedby');
  }
}

/**
 * Shows what the server found wrong: beside the fields it names, and a sentence for the whole.
 *
 * @param {HTMLFormElement} form
 * @param {import('../api.js').ApiError} error
 */
export function showProblems(form, error) {
  const unplaced = [...error.fields].filter(([name, text]) => !placeProblem(form, name, text));
  const text = [error.message, ...unplaced.map(([name, problem]) => `${name}: ${problem}`)].join(' ');
  form.prepend(el('p', { className: 'form-problem', role: 'alert' }, bdi(text)));
  const first = form.querySelector('[aria-invalid]');
  if (first instanceof HTMLElement) first.focus();
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 * @param {string} text
 */
function placeProblem(form, name, text) {
  const field = form.elements.namedItem(name);
  if (!(field instanceof HTMLInputElement)) return false;
  const id = `${field.id}-problem`;
  field.setAttribute('aria-invalid', 'true');
  field.setAttribute('aria-describedby', id);
  field.insertAdjacentElement('afterend', el('p', { className: 'field-problem', id }, bdi(text)));
  return true;
}
