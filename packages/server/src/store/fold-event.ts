import type { ConversationEvent } from '@tertulia/protocol';
import { endOf, startOf, type ConversationView, type TaskOutline } from './store.ts';

/** The view that the first event of a log makes. */
export function firstView(event: ConversationEvent): ConversationView {
  return {
    id: event.conversation_id,
    seq: 0,
    title: '',
    is_active: true,
    is_deleted: false,
    members: new Map(),
    open_tasks: new Map(),
  };
}

/** Folds the next event into a view. */
export function foldEvent(view: ConversationView, event: ConversationEvent): void {
  view.seq = event.seq;
  switch (event.type) {
    case 'conversation_created':
      view.members.set(event.data.owner.user_id, event.data.owner);
      view.title = event.data.title;
      view.is_active = event.data.is_active;
      break;
    case 'conversation_updated':
      view.title = event.data.title ?? view.title;
      view.is_active = event.data.is_active ?? view.is_active;
      break;
    case 'member_joined':
      view.members.set(event.data.member.user_id, event.data.member);
      break;
    case 'member_left':
      view.members.delete(event.data.user_id);
      break;
    case 'task_deleted':
      view.open_tasks.delete(event.data.task_id);
      break;
    case 'conversation_deleted':
      view.is_deleted = true;
      view.members.clear();
      view.open_tasks.clear();
      break;
    default:
      break;
  }
  const started = startOf(event);
  if (started) view.open_tasks.set(started.id, outlineOf(started));
  const ended = endOf(event);
  if (ended) view.open_tasks.delete(ended.id);
}

/** What a view keeps of a task. */
export function outlineOf({ id, user_id, assistant }: TaskOutline): TaskOutline {
  return { id, user_id, assistant };
}
