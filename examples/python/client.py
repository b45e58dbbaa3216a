"""Logs in, connects, sends a message, prints the answer, ends.

Needs: pip install python-socketio aiohttp requests
"""

import asyncio
import os

import requests
import socketio

URL = os.environ.get('TERTULIA_URL', 'http://localhost:8000')
USERNAME = os.environ.get('TERTULIA_USERNAME', 'testuser')
PASSWORD = os.environ.get('TERTULIA_PASSWORD', 'testpass123')

sio = socketio.AsyncClient()


@sio.event
async def connect():
    print('Connected to server')


@sio.event
async def conversation(data):
    print(f"User: {data['user_message']['content']}")
    for response in data['assistant_responses']:
        print(f"Bot: {response['content']}")
    await sio.disconnect()


@sio.event
async def error(data):
    print(f"Error: {data['message']}")
    await sio.disconnect()


def log_in():
    response = requests.post(
        f'{URL}/api/v1/auth/login', json={'username': USERNAME, 'password': PASSWORD}, timeout=10
    )
    if not response.ok:
        raise SystemExit(f"login was refused: {response.json()['detail']}")
    return response.json()['access_token']


async def main():
    await sio.connect(URL, auth={'token': log_in()})

    # Send a message
    await sio.emit('chat', {
        'message': 'Hello from Python!',
        'metadata': {'client': 'python_client'}
    })

    await sio.wait()


if __name__ == '__main__':
    asyncio.run(main())
