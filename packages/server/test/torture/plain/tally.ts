/** A reader, as far as counting goes. */
export interface Reader {
  readonly acknowledged: ReadonlyMap<string, string>;
  readonly heard: ReadonlyMap<string, readonly string[]>;
}

/** What readers of plain Socket.IO got, in messages and in copies of them (one for each reader of a room). */
export interface Tally {
  readonly acknowledged: number;
  /** Messages that were acknowledged, and that somebody in the room never got. */
  readonly lost: number;
  readonly lostCopies: number;
  /** Messages that somebody got more than once. */
  readonly doubled: number;
  readonly doubledCopies: number;
  /** Neighbours in what one reader got that another one got the other way round. */
  readonly reordered: number;
}

/** Compares what each reader of a room got with what was acknowledged, and with what the others got. */
export function tally(readers: readonly Reader[]): Tally {
  const acknowledged = new Map(readers.flatMap((reader) => [...reader.acknowledged]));
  const lost: string[] = [];
  const doubled: string[] = [];
  let reordered = 0;
  for (const room of new Set(readers.flatMap(({ heard }) => [...heard.keys()]))) {
    const views = readers.flatMap(({ heard }) => (heard.has(room) ? [heard.get(room)!] : []));
    const sent = [...acknowledged].flatMap(([id, to]) => (to === room ? [id] : []));
    const places = views.map(placesOf);
    for (const [index, view] of views.entries()) {
      lost.push(...sent.filter((id) => !places[index]!.has(id)));
      doubled.push(...view.filter((id, place) => places[index]!.get(id) !== place));
    }
    reordered += countReordered(places);
  }
  return {
    acknowledged: acknowledged.size,
    lost: new Set(lost).size,
    lostCopies: lost.length,
    doubled: new Set(doubled).size,
    doubledCopies: doubled.length,
    reordered,
  };
}

/** Where each message came first. */
function placesOf(view: readonly string[]): Map<string, number> {
  const places = new Map<string, number>();
  for (const [place, id] of view.entries()) if (!places.has(id)) places.set(id, place);
  return places;
}

function countReordered(places: readonly ReadonlyMap<string, number>[]): number {
  const pairs = new Set<string>();
  for (const view of places) {
    const ids = [...view.keys()];
    for (const [index, id] of ids.slice(1).entries()) {
      const before = ids[index]!;
      const isReversed = (other: ReadonlyMap<string, number>) =>
        (other.get(before) ?? -1) > (other.get(id) ?? Infinity);
      if (places.some(isReversed)) pairs.add([before, id].toSorted().join(' '));
    }
  }
  return pairs.size;
}
