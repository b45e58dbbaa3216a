import { createRoute } from '@hono/zod-openapi';
import {
  addTaskMessageSchema,
  createTaskSchema,
  idSchema,
  messageSchema,
  taskFilterSchema,
  taskListSchema,
  taskMessagesSchema,
  taskSchema,
  updateTaskSchema,
  type TaskFields,
} from '@tertulia/protocol';
import { z } from 'zod';
import { chat } from '../events/chat.ts';
import { answerTask } from '../events/answer-task.ts';
import { deleteTask, readTask, updateTask } from '../events/tasks.ts';
import { answer, body, refusals } from './openapi.ts';
import type { HttpApp, HttpParts } from './parts.ts';
import { signedIn } from './signed-in.ts';

const task = taskSchema.meta({ id: 'Task' });
const params = z.object({ task_id: idSchema });
const refusedRead = refusals('unauthorized', 'not_found', 'invalid_payload', 'rate_limited');
const refusedChange = refusals(
  'unauthorized',
  'forbidden',
  'not_found',
  'task_ended',
  'idempotency_conflict',
  'too_large',
  'invalid_payload',
  'rate_limited',
);

/** Adds tasks: a task is one user message and its answers. */
export function taskRoutes(app: HttpApp, parts: HttpParts): void {
  listRoutes(app, parts);
  taskRoute(app, parts);
  messageRoutes(app, parts);
}

function listRoutes(app: HttpApp, parts: HttpParts): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/tasks',
      ...signedIn(parts, 'tasks'),
      summary: "The tasks of one's conversations, newest first",
      request: { query: taskFilterSchema },
      responses: {
        200: answer(taskListSchema, 'A page of them, and how many there are.'),
        ...refusals('unauthorized', 'invalid_payload', 'rate_limited'),
      },
    }),
    async (c) => {
      const { skip, limit, ...filter } = c.req.valid('query');
      const { conversations } = parts.context().store;
      return c.json({ ...(await conversations.tasks(c.var.login.user.id, filter, { skip, limit })), skip, limit }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/tasks',
      ...signedIn(parts, 'tasks', 'takeChat'),
      summary: 'Send a message with fields for its task',
      request: body(createTaskSchema),
      responses: {
        201: answer(task, 'The task.'),
        ...refusals(
          'unauthorized',
          'not_found',
          'invalid_payload',
          'too_large',
          'idempotency_conflict',
          'rate_limited',
          'too_many_tasks',
        ),
      },
    }),
    async (c) => {
      const { user_message, conversation_id, client_msg_id, ...task_fields } = c.req.valid('json');
      const { user } = c.var.login;
      const request = { message: user_message, conversation_id, client_msg_id, task_fields: given(task_fields) };
      const { task_id } = await chat(parts.context(), user, request);
      return c.json(await readTask(parts.context(), user.id, task_id), 201);
    },
  );
}

function taskRoute(app: HttpApp, parts: HttpParts): void {
  const common = { path: '/tasks/{task_id}', ...signedIn(parts, 'tasks') };
  app.openapi(
    createRoute({
      method: 'get',
      ...common,
      summary: 'One task, with its messages',
      request: { params },
      responses: { 200: answer(task, 'The task.'), ...refusedRead },
    }),
    async (c) => c.json(await readTask(parts.context(), c.var.login.user.id, c.req.valid('param').task_id), 200),
  );
  app.openapi(
    createRoute({
      method: 'put',
      ...common,
      summary: 'Change a task that is open, or end it by its status; absent fields stay',
      request: { params, ...body(updateTaskSchema) },
      responses: { 200: answer(task, 'The task as it is now.'), ...refusedChange },
    }),
    async (c) => {
      const { task_id } = c.req.valid('param');
      return c.json(await updateTask(parts.context(), c.var.login.user, task_id, c.req.valid('json')), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      ...common,
      summary: 'Remove a task and its messages; cancels it where it is open',
      request: { params },
      responses: { 204: { description: 'Removed.' }, ...refusals('forbidden'), ...refusedRead },
    }),
    async (c) => {
      await deleteTask(parts.context(), c.var.login.user, c.req.valid('param').task_id);
      return c.body(null, 204);
    },
  );
}

function messageRoutes(app: HttpApp, parts: HttpParts): void {
  const common = { path: '/tasks/{task_id}/messages', ...signedIn(parts, 'tasks') };
  app.openapi(
    createRoute({
      method: 'get',
      ...common,
      summary: 'The question of a task and its answers',
      request: { params },
      responses: { 200: answer(taskMessagesSchema, 'The messages, oldest first.'), ...refusedRead },
    }),
    async (c) => {
      const found = await readTask(parts.context(), c.var.login.user.id, c.req.valid('param').task_id);
      return c.json({ messages: [found.user_message, ...found.assistant_responses] }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      ...common,
      summary: 'Answer a task from outside; the last answer ends it',
      request: { params, ...body(addTaskMessageSchema) },
      responses: { 201: answer(messageSchema, 'The stored message.'), ...refusedChange },
    }),
    async (c) => {
      const { task_id } = c.req.valid('param');
      return c.json(await answerTask(parts.context(), c.var.login.user, task_id, c.req.valid('json')), 201);
    },
  );
}

/** The fields that were sent: a schema's type cannot say that an absent one is never `undefined`. */
function given(fields: Partial<Record<keyof TaskFields, unknown>>): Partial<TaskFields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
