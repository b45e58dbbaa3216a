import { el } from '../dom.js';

/** Beyond this a line is shown as it is: what is that long was not written to be read. */
const LONGEST_LINE = 4_000;
/** Bounded, so that a line of a thousand brackets costs no more than any other. */
const INLINE = /`[^`]{1,400}`|\*\*[^*]{1,400}\*\*|\[[^\][]{1,300}\]\([^()\s]{1,500}\)/g;
const FENCE = /^\s*(```|~~~)/;
const RULE_OF_TABLE = /^\|[\s:|-]+\|$/;

/**
 * An assistant's text with its Markdown made visible: quotes, code, headings, bold words and links get a style, and the
 * signs for it are hidden. Every character stays in the document as text, none becomes an element or an address, so
 * the text is the server's byte for byte and nothing in it can act.
 */
export class FormattedText {
  node = el('div', { className: 'text formatted', dir: 'auto' });
  #text = '';
  /** The line that may still grow, and its node. */
  #open = '';
  /** @type {HTMLElement | null} */
  #openNode = null;
  #isCode = false;

  /** @param {string} text the text so far; where it only grew, the lines that are complete stay as they are */
  set(text) {
    if (!text.startsWith(this.#text)) this.#clear();
    const lines = (this.#open + text.slice(this.#text.length)).split('\n');
    this.#text = text;
    this.#openNode?.remove();
    this.#open = lines.pop() ?? '';
    for (const line of lines) {
      this.node.append(this.#line(line), sign('\n'));
      if (FENCE.test(unquoted(line))) this.#isCode = !this.#isCode;
    }
    this.#openNode = this.#open === '' ? null : this.#line(this.#open);
    if (this.#openNode) this.node.append(this.#openNode);
  }

  #clear() {
    this.node.replaceChildren();
    this.#text = '';
    this.#open = '';
    this.#openNode = null;
    this.#isCode = false;
  }

  /** @param {string} line */
  #line(line) {
    const content = unquoted(line);
    const marks = line.slice(0, line.length - content.length);
    const classes = ['line', ...(marks === '' ? [] : ['quote']), ...this.#kinds(content)];
    const isPlain = this.#isCode || line.length > LONGEST_LINE;
    const heading = isPlain ? '' : (/^#{1,6} /.exec(content)?.[0] ?? '');
    const rest = content.slice(heading.length);
    return el(
      'span',
      { className: classes.join(' ') },
      marks + heading !== '' && sign(marks + heading),
      ...(isPlain ? [rest] : inline(rest)),
      // An empty line keeps its height, and its place in what is copied.
      rest === '' && el('br'),
    );
  }

  /** @param {string} content */
  #kinds(content) {
    if (FENCE.test(content)) return ['sign'];
    if (this.#isCode) return ['code'];
    if (RULE_OF_TABLE.test(content)) return ['sign'];
    if (content.startsWith('|')) return ['code'];
    if (/^#{1,6} /.test(content)) return ['heading'];
    return /^\s*([-*]|\d{1,3}\.) /.test(content) ? ['item'] : [];
  }
}

/**
 * A line without the signs that quote it.
 *
 * @param {string} line
 */
function unquoted(line) {
  return line.replace(/^(?: ?> ?){1,8}/, '');
}

/** @param {string} text */
function sign(text) {
  return el('span', { className: 'sign' }, text);
}

/**
 * @param {string} text
 * @returns {(Node | string)[]}
 */
function inline(text) {
  /** @type {(Node | string)[]} */
  const parts = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(INLINE)) {
    parts.push(text.slice(end, index), ...styled(found));
    end = index + found.length;
  }
  return [...parts, text.slice(end)];
}

/**
 * @param {string} found
 * @returns {Node[]}
 */
function styled(found) {
  if (found.startsWith('`')) return [sign('`'), el('code', {}, found.slice(1, -1)), sign('`')];
  if (found.startsWith('*')) return [sign('**'), el('strong', {}, found.slice(2, -2)), sign('**')];
  const middle = found.indexOf('](');
  return [
    sign('['),
    el('span', { className: 'link-label' }, found.slice(1, middle)),
    sign(']('),
    el('span', { className: 'link-address' }, found.slice(middle + 2, -1)),
    sign(')'),
  ];
}
