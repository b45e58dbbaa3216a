/**
 * A sentence of ours with words of others in it: the words are kept apart, so that the page can isolate each.
 *
 * @typedef {{strings: readonly string[], values: string[]}} Sentence
 */

/**
 * Tags a template: sentence`${name} was added`.
 *
 * @param {TemplateStringsArray} strings
 * @param {...string} values
 * @returns {Sentence}
 */
export function sentence(strings, ...values) {
  return { strings, values };
}

/**
 * The sentence as plain text, for a screen reader.
 *
 * @param {Sentence} sentence
 */
export function plainText({ strings, values }) {
  return strings.map((text, index) => text + (values[index] ?? '')).join('');
}
