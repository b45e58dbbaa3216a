import type { Bus, BusMessage, Topic } from './bus.ts';

/** What the bus needs of the link between a worker and its primary, which passes on what it is given. */
export interface WorkerLink {
  /** Whether the primary answers. */
  readonly isUp: boolean;
  /** What one worker does not read is bounded in the primary: what goes beyond is lost to it. */
  offer(message: { kind: 'publish'; topics: readonly Topic[]; text: string }, length: number): void;
  send(message: { kind: 'unfollow'; topic: Topic }): void;
  ask(kind: 'follow', question: { topic: Topic }): Promise<null>;
  on(name: 'told', listener: (text: string) => void): void;
  on(name: 'missed', listener: () => void): void;
}

/** An event whose JSON is longer goes as its seq, and is read from the log by whoever needs it. */
const LARGE_EVENT = 65_536;

/** Links the workers of one machine by the channels that they have to their primary. */
export class WorkerBus implements Bus {
  readonly isShared = true;
  readonly #link: WorkerLink;
  readonly #reachesAll: boolean;
  /** What this worker follows, and where that does not hold yet, until when. */
  readonly #topics = new Map<Topic, Promise<void> | null>();

  /** `reachesAll`: nobody but these workers uses the database. */
  constructor(link: WorkerLink, reachesAll: boolean) {
    this.#link = link;
    this.#reachesAll = reachesAll;
  }

  get isUp(): boolean {
    return this.#reachesAll && this.#link.isUp;
  }

  publish(topics: readonly Topic[], message: BusMessage): void {
    const text = textOf(message);
    this.#link.offer({ kind: 'publish', topics, text }, text.length);
  }

  follow(topic: Topic): Promise<void> | void {
    const known = this.#topics.get(topic);
    if (known !== undefined) return known ?? undefined;
    const following = this.#link.ask('follow', { topic }).then(() => {
      if (this.#topics.get(topic) === following) this.#topics.set(topic, null);
    });
    this.#topics.set(topic, following);
    return following;
  }

  unfollow(topic: Topic): void {
    if (this.#topics.delete(topic)) this.#link.send({ kind: 'unfollow', topic });
  }

  subscribe(receive: (message: BusMessage) => void, onUp: () => void): void {
    this.#link.on('told', (text) => receive(JSON.parse(text) as BusMessage));
    this.#link.on('missed', onUp);
    void this.follow('all');
  }

  close(): Promise<void> {
    this.#link.on('told', () => undefined);
    return Promise.resolve();
  }
}

function textOf(message: BusMessage): string {
  const text = JSON.stringify(message);
  if (message.kind !== 'event' || text.length <= LARGE_EVENT) return text;
  return JSON.stringify({ ...message, event: null });
}
