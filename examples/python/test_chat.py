"""An automated test of a running server: pytest examples/python/test_chat.py

Needs: pip install python-socketio aiohttp requests pytest pytest-asyncio
"""

import os

import pytest
import pytest_asyncio
import requests
import socketio

URL = os.environ.get('TERTULIA_URL', 'http://localhost:8000')


@pytest_asyncio.fixture
async def socket_client():
    # Get JWT token for test user
    response = requests.post(f'{URL}/api/v1/auth/login', timeout=10, json={
        'username': os.environ.get('TERTULIA_USERNAME', 'testuser'),
        'password': os.environ.get('TERTULIA_PASSWORD', 'testpass123')
    })
    assert response.ok, response.text
    token = response.json()['access_token']

    # Create Socket.IO client
    sio = socketio.AsyncSimpleClient()
    await sio.connect(URL, auth={'token': token})
    yield sio
    await sio.disconnect()


@pytest.mark.asyncio
async def test_chat_message(socket_client):
    sio = socket_client

    # Send a chat message
    await sio.emit('chat', {'message': 'Test message'})

    # Wait for response; the greeting comes before it
    response = await sio.receive(timeout=10)
    if response[0] == 'connected':
        response = await sio.receive(timeout=10)
    assert response[0] == 'conversation'
    assert 'task_id' in response[1]
    assert 'user_message' in response[1]
