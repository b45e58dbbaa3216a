import { el } from '../dom.js';

/** Beyond this a line is shown as it is: what is that long was not written to be read. */
const LONGEST_LINE = 4_000;
/** Bounded, so that a line of a thousand brackets costs no more than any other. */
const INLINE = /`[^`]{1,400}`|\*\*[^*]{1,400}\*\*|\[[^\][]{1,300}\]\([^()\s]{1,500}\)/g;
const FENCE = /^\s*(```|~~~)/;
/** Who ends a line before this goes on in a new one on purpose, as in a poem; beyond it the text was merely wrapped. */
const WRAPPED_FROM = 50;
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
  /** The line before it, the block that a wrapped line would go on in, and the line feed between, if there was a line. */
  #last = '';
  /** @type {HTMLElement | null} */
  #block = null;
  /** @type {HTMLElement | null} */
  #feed = null;

  /** @param {string} text the text so far; where it only grew, the lines that are complete stay as they are */
  set(text) {
    if (!text.startsWith(this.#text)) this.#clear();
    const lines = (this.#open + text.slice(this.#text.length)).split('\n');
    this.#text = text;
    this.#takeBackOpen();
    this.#open = lines.pop() ?? '';
    for (const line of lines) this.#complete(line);
    this.#openNode = this.#open === '' ? null : this.#put(this.#open);
  }

  #clear() {
    this.node.replaceChildren();
    this.#text = '';
    this.#open = '';
    this.#openNode = null;
    this.#isCode = false;
    this.#last = '';
    this.#block = null;
    this.#feed = null;
  }

  #takeBackOpen() {
    this.#openNode?.remove();
    this.#openNode = null;
    if (this.#feed) this.node.append(this.#feed);
  }

  /** @param {string} line */
  #complete(line) {
    const goesOn = this.#goesOn(line);
    const node = this.#put(line);
    if (!goesOn) this.#block = node;
    this.#last = line;
    this.#feed = sign('\n');
    this.node.append(this.#feed);
    if (FENCE.test(unquoted(line))) this.#isCode = !this.#isCode;
  }

  /**
   * @param {string} line
   * @returns {HTMLElement} the line's own node, in a block of its own or in that of the line before
   */
  #put(line) {
    const goesOn = this.#goesOn(line);
    const node = goesOn ? this.#next(line) : this.#first(line);
    if (goesOn) this.#feed?.remove();
    (goesOn ? this.#block : this.node)?.append(node);
    return node;
  }

  /**
   * Whether a line only goes on with the paragraph, item or table before it.
   *
   * @param {string} line
   */
  #goesOn(line) {
    const before = this.#last;
    if (this.#isTable) return this.#isRow(line) && sameQuote(before, line);
    if (this.#isCode || !this.#block || before.length < WRAPPED_FROM || before.length > LONGEST_LINE) return false;
    if (line.length > LONGEST_LINE || /( {2}|\\)$/.test(before)) return false;
    const [above, content] = [unquoted(before), unquoted(line)];
    const isText = content.trim() !== '' && this.#kinds(content).length === 0;
    return sameQuote(before, line) && isText && this.#kinds(above).every((kind) => kind === 'item');
  }

  /** Whether the block before is a table. */
  get #isTable() {
    return this.#block?.classList.contains('table') ?? false;
  }

  /** @param {string} line */
  #isRow(line) {
    return !this.#isCode && unquoted(line).startsWith('|');
  }

  /**
   * A line that begins a block. The rows of a table share one, which scrolls where it is too wide.
   *
   * @param {string} line
   */
  #first(line) {
    const node = this.#line(line);
    return this.#isRow(line)
      ? el('span', { className: 'table', tabIndex: 0, role: 'group', 'aria-label': 'Table' }, node)
      : node;
  }

  /**
   * A line that goes on in the block before it.
   *
   * @param {string} line
   */
  #next(line) {
    return this.#isTable ? el('span', {}, sign('\n'), this.#line(line)) : this.#wrapped(line);
  }

  /** @param {string} line */
  #wrapped(line) {
    const content = unquoted(line);
    const text = content.trimStart();
    const blanks = content.slice(0, content.length - text.length);
    const marks = marksOf(line, content);
    return el('span', {}, soft('\n'), marks !== '' && sign(marks), blanks !== '' && soft(blanks), ...inline(text));
  }

  /** @param {string} line */
  #line(line) {
    const content = unquoted(line);
    const marks = marksOf(line, content);
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

/**
 * Whether two lines stand in the same quote, or in none.
 *
 * @param {string} before
 * @param {string} line
 */
function sameQuote(before, line) {
  return marksOf(before, unquoted(before)).trim() === marksOf(line, unquoted(line)).trim();
}

/**
 * The signs that quote a line.
 *
 * @param {string} line
 * @param {string} content the line without them
 */
function marksOf(line, content) {
  return line.slice(0, line.length - content.length);
}

/**
 * White space that shows as one blank, whatever it is.
 *
 * @param {string} text
 */
function soft(text) {
  return el('span', { className: 'soft' }, text);
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
    el('span', { className: 'link-label' }, ...inline(found.slice(1, middle))),
    sign(']('),
    el('span', { className: 'link-address' }, found.slice(middle + 2, -1)),
    sign(')'),
  ];
}
