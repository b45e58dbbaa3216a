// A whole client of protocol 1 for the terminal: prints a conversation as it stands and as it goes on, with answers as
// they are written, and sends each line that is typed. Restarts of the server and lost connections lose nothing.
//   node follow.mjs [conversation id]      without an id the first line opens a new conversation
// docs/protocol.md, "Writing a client in another language", explains it step by step.
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { io } from 'socket.io-client';

const url = process.env.TERTULIA_URL ?? 'http://localhost:8000';
const username = process.env.TERTULIA_USERNAME ?? 'testuser';
const password = process.env.TERTULIA_PASSWORD ?? 'testpass123';

let tokens = await post('login', { username, password });
let userId;
let epoch = null;
let conversationId = process.argv[2] ?? null;
let lastSeq = 0;
let isCatchingUp = false;
let renewal;
/** Events that came before the one that is due, by seq. */
const early = new Map();
/** Answers that are being written, by task: {attempt, assistant, text, held}. */
const answers = new Map();
const endedTasks = new Set();
/** Messages that may not be stored yet, oldest first. */
const outbox = [];
/** The answer whose text ends the last printed line, which is still open. */
let shown = null;

const socket = io(url, { auth: (use) => use({ token: tokens.access_token, protocol: 1 }) });

socket.on('connected', async ({ user, store_epoch, expires_at }) => {
  userId = user.id;
  if (epoch !== null && epoch !== store_epoch) forget(); // the database was restored: it may know less than we do
  epoch = store_epoch;
  renewBefore(expires_at);
  if (conversationId) await catchUp('join_conversation');
  await sendNext();
});
socket.on('conversation_event', take);
socket.on('response_start', ({ task_id, attempt, assistant }) => answerOf(task_id, attempt, assistant));
socket.on('response_delta', ({ task_id, attempt, index, text }) => {
  const answer = answerOf(task_id, attempt);
  if (!answer) return;
  answer.held.set(index, text);
  extend(answer);
  if (answer.held.size > 0) setTimeout(catchUp, 600, 'sync'); // joined late: the next checkpoint fills the gap
});
socket.on('heartbeat', ({ conversations }) => {
  if ((conversations[conversationId] ?? 0) > lastSeq) void catchUp('sync');
});
socket.on('connect_error', (error) => {
  if (!socket.active) stop(error.message); // refused; where no server answers the library tries again by itself
});
socket.on('error', ({ error, message }) => {
  if (error === 'replaced') stop(message); // too many connections: coming back would close another one
});
socket.on('disconnect', async (reason) => {
  isCatchingUp = false;
  if (reason !== 'io server disconnect') return; // anything else the library mends by itself
  await renewLogin();
  socket.connect();
});

createInterface({ input: process.stdin }).on('line', (message) => {
  outbox.push({ client_msg_id: randomUUID(), message });
  void sendNext();
});

/** Takes an event of the log in its turn: those that are known are dropped, those that are early wait. */
function take(event) {
  conversationId ??= event.conversation_id; // a new one's first events come before the acknowledgement that names it
  if (event.seq > lastSeq) early.set(event.seq, event);
  for (let next = early.get(lastSeq + 1); next; next = early.get(lastSeq + 1)) {
    early.delete(next.seq);
    lastSeq = next.seq;
    show(next);
  }
  if (early.size > 0) void catchUp('sync');
}

/** Reads the log from where we stand to its end, page by page; `join_conversation` then lets live events follow. */
async function catchUp(event) {
  if (isCatchingUp || !conversationId) return;
  isCatchingUp = true;
  try {
    for (;;) {
      const page = await ask(event, { conversation_id: conversationId, after_seq: lastSeq });
      if (page.reset) forget();
      for (const each of page.events) take(each);
      if (!page.complete || page.reset) continue;
      for (const { task_id, attempt, assistant, text } of page.running) {
        checkpoint(answerOf(task_id, attempt, assistant), text);
      }
      if (page.joined !== false) break;
    }
  } catch (error) {
    if (error.code) stop(error.message); // refused; a lost connection joins again when it is back
  }
  isCatchingUp = false;
}

/** Sends one message after the other, each until it is acknowledged: its id keeps a repeat from being stored twice. */
async function sendNext() {
  const [next] = outbox;
  if (!next || next.isOnItsWay || !socket.connected) return;
  next.isOnItsWay = true;
  const { client_msg_id, message } = next;
  try {
    const sent = await ask('chat', { client_msg_id, message, conversation_id: conversationId });
    conversationId = sent.conversation_id;
    isStored(client_msg_id);
    if (sent.seq > lastSeq) await catchUp('sync'); // else its event came before this acknowledgement
  } catch (error) {
    next.isOnItsWay = false;
    if (error.code && error.retry_after_ms === undefined) return stop(error.message);
    return void setTimeout(sendNext, error.retry_after_ms ?? 1_000);
  }
  await sendNext();
}

function isStored(id) {
  const index = outbox.findIndex(({ client_msg_id }) => client_msg_id === id);
  if (index >= 0) outbox.splice(index, 1);
}

/** The answer to a task if this attempt at it is the newest known; a newer attempt begins anew. */
function answerOf(taskId, attempt, assistant) {
  if (endedTasks.has(taskId)) return null;
  const known = answers.get(taskId);
  if (known && attempt < known.attempt) return null;
  if (known?.attempt === attempt) return known;
  const answer = { attempt, assistant: assistant ?? known?.assistant, text: '', held: new Map() };
  answers.set(taskId, answer);
  if (known?.text) print('(begun again)');
  return answer;
}

/** The text so far as the server has it: fills what a late joiner missed. */
function checkpoint(answer, text) {
  if (!answer) return;
  if (text.length > answer.text.length) write(answer, text.slice(answer.text.length));
  extend(answer);
}

/** Appends the pieces that reach the end of the text; those beyond it wait for a checkpoint. */
function extend(answer) {
  for (const [index, text] of [...answer.held].toSorted(([one], [other]) => one - other)) {
    if (index > answer.text.length) return;
    answer.held.delete(index);
    write(answer, text.slice(answer.text.length - index));
  }
}

/** Prints a piece of an answer, on its line where that is the last one. */
function write(answer, text) {
  if (shown !== answer) process.stdout.write(`${shown ? '\n' : ''}${answer.assistant}: ${answer.text}`);
  shown = answer;
  answer.text += text;
  process.stdout.write(text);
}

/** Prints whole lines, below an answer that is being written. */
function print(text) {
  process.stdout.write(`${shown ? '\n' : ''}${text}\n`);
  shown = null;
}

function show({ seq, type, actor, data }) {
  if (data.client_msg_id && actor.id === userId) isStored(data.client_msg_id); // known before its acknowledgement
  const endedTask = data.ends_task?.id ?? { task_ended: data.task?.id, task_deleted: data.task_id }[type];
  const answer = answers.get(endedTask);
  if (endedTask) endedTasks.add(endedTask);
  answers.delete(endedTask);
  const { message } = data;
  const failure = data.task?.error ? `: ${data.task.error.message}` : '';
  if (!message) return print(`(${type} by ${actor.name}${failure})  #${seq}`);
  const isContinued = answer && message.content.startsWith(answer.text);
  if (isContinued && shown === answer) {
    write(answer, `${message.content.slice(answer.text.length)}  #${seq}\n`);
    shown = null;
    return;
  }
  if (answer?.text && !isContinued) print('(begun again)');
  print(`${message.author.name}: ${message.content}  #${seq}`);
}

function forget() {
  lastSeq = 0;
  for (const known of [early, answers, endedTasks]) known.clear();
}

/** Sends an event and answers what was acknowledged. @throws a refusal with its code, or an Error where no answer came */
async function ask(name, payload) {
  const { ok, error, ...answer } = await socket.timeout(10_000).emitWithAck(name, payload);
  if (!ok) throw error;
  return answer;
}

/** A minute before the access token ends a new one carries the connection on. */
function renewBefore(expiresAt) {
  clearTimeout(renewal);
  renewal = setTimeout(renewLogin, expiresAt * 1000 - Date.now() - 60_000);
}

async function renewLogin() {
  tokens = await post('refresh', { refresh_token: tokens.refresh_token }).catch((error) => stop(error.message));
  if (!socket.connected) return;
  const { expires_at } = await ask('auth_refresh', { token: tokens.access_token }).catch(() => ({}));
  if (expires_at) renewBefore(expires_at);
}

async function post(path, body) {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(`${url}/api/v1/auth/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail);
  return answer;
}

function stop(reason) {
  if (reason) console.error(reason);
  process.exit(reason ? 1 : 0);
}
