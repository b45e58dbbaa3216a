import type { ConversationEvent } from '@tertulia/protocol';
import { entriesOf, type Drained, type Entry, type Fault } from './history.ts';

/** Somebody's membership: from the event that made it to the one that ended it. */
interface Stay {
  readonly from: number;
  to: number;
}

type Stays = ReadonlyMap<string, readonly Stay[]>;

/** Nobody writes or hears live what comes while they are not a member, or reads on after they left for good (G8). */
export function checkAccess(history: readonly Entry[], { logs }: Drained): Fault[] {
  const stays = new Map([...logs].map(([id, events]) => [id, staysIn(events)]));
  const users = new Map(entriesOf(history, 'connected').map(({ client, user_id }) => [client, user_id]));
  return [
    ...[...logs].flatMap(([id, events]) => checkAuthors(id, events, stays.get(id)!)),
    ...entriesOf(history, 'event').flatMap(({ client, conversation_id, seq, via }): Fault[] => {
      const user = users.get(client);
      const known = stays.get(conversation_id);
      if (user === undefined || !known) return [];
      const mayKnow = ({ from, to }: Stay) => seq <= to && (via === 'page' || from <= seq);
      if (known.get(user)?.some(mayKnow)) return [];
      return [{ kind: 'access', detail: `${client} got ${conversation_id}#${seq} and was no member` }];
    }),
  ];
}

function staysIn(events: readonly ConversationEvent[]): Stays {
  const stays = new Map<string, Stay[]>();
  const begin = (userId: string, from: number) => {
    const stay = { from, to: Infinity };
    const known = stays.get(userId);
    if (known) known.push(stay);
    else stays.set(userId, [stay]);
  };
  for (const event of events) {
    if (event.type === 'conversation_created') begin(event.data.owner.user_id, event.seq);
    else if (event.type === 'member_joined') begin(event.data.member.user_id, event.seq);
    else if (event.type === 'member_left') {
      const last = stays.get(event.data.user_id)?.at(-1);
      if (last) last.to = event.seq;
    }
  }
  return stays;
}

function checkAuthors(id: string, events: readonly ConversationEvent[], stays: Stays): Fault[] {
  return events.flatMap(({ actor, seq }): Fault[] => {
    if (actor.kind !== 'user') return [];
    const isMember = stays.get(actor.id)?.some(({ from, to }) => from <= seq && seq <= to);
    return isMember ? [] : [{ kind: 'access', detail: `${id}#${seq} is by ${actor.name}, who was no member` }];
  });
}
