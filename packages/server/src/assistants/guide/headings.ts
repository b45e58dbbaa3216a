/** A heading's text without its Markdown: code ticks, emphasis, links, images and HTML. */
export function plainHeading(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') && part.length > 1 ? part.slice(1, -1) : withoutMarks(part)))
    .join('')
    .trim();
}

function withoutMarks(text: string): string {
  return text
    .replaceAll(/!?\[([^\]]{0,300})\]\([^)]{0,500}\)/g, '$1')
    .replaceAll(/<[^>]{0,300}>/g, '')
    .replaceAll(/(?<![\p{L}\p{N}])_([^_]{1,300})_(?![\p{L}\p{N}])/gu, '$1')
    .replaceAll('*', '')
    .replaceAll(/\\([!-/:-@[-`{-~])/g, '$1');
}

/** Names one file's headings as GitHub does: the second `Errors` becomes `errors-1`. */
export function anchorsOfFile(): (heading: string) => string {
  const taken = new Map<string, number>();
  return (heading) => {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
      .replaceAll(' ', '-');
    let count = taken.get(slug);
    taken.set(slug, (count ?? -1) + 1);
    if (count === undefined) return slug;
    let anchor: string;
    do {
      count += 1;
      anchor = `${slug}-${count}`;
    } while (taken.has(anchor));
    taken.set(slug, count);
    taken.set(anchor, 0);
    return anchor;
  };
}
