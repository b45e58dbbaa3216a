// Logs in, connects, sends a message, prints the answer, joins the conversation, ends.
// Needs Node 20 or newer and, outside of this repository, `npm install socket.io-client`.
import { io } from 'socket.io-client';

const url = process.env.TERTULIA_URL ?? 'http://localhost:8000';
const username = process.env.TERTULIA_USERNAME ?? 'testuser';
const password = process.env.TERTULIA_PASSWORD ?? 'testpass123';

const response = await fetch(`${url}/api/v1/auth/login`, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ username, password }),
});
if (!response.ok) throw new Error(`login was refused: ${(await response.json()).detail}`);
const { access_token: jwtToken } = await response.json();

// Connect with authentication
const socket = io(url, {
  auth: { token: jwtToken },
});

// Listen for connection success
socket.on('connected', (data) => {
  console.log('Connected:', data.user.username);
});

// Send a chat message; without a conversation_id it opens a new conversation
socket.emit('chat', {
  message: 'Hello, chatbot!',
  metadata: { client: 'web_app' },
});

// Listen for chat responses
socket.on('conversation', (data) => {
  console.log('User message:', data.user_message.content);
  data.assistant_responses.forEach((msg) => {
    console.log('Bot response:', msg.content);
  });

  // Join the conversation's room, to see also what its other members say
  socket.emit('join_conversation', {
    conversation_id: data.conversation_id,
  });
});

socket.on('joined_conversation', (data) => {
  console.log('Joined:', data.message);
  socket.disconnect();
});

// Handle errors
socket.on('error', (error) => {
  console.error('Socket error:', error.message);
});

// Tells why a connection was refused, for example `unauthorized`
socket.on('connect_error', (error) => {
  console.error('Connection error:', error.message);
});
