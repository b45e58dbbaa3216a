"""Chats once on the base layer, and prints as JSON the transport, its session and the answer: client.py URL TRANSPORTS

The token comes from the standard input.
"""

import json
import sys

import socketio

url, transports = sys.argv[1:]
with socketio.SimpleClient() as client:
    client.connect(url, auth={'token': sys.stdin.read()}, transports=transports.split(','))
    client.emit('chat', {'message': 'hello from Python'})
    name = None
    while name != 'conversation':
        name, payload = client.receive(timeout=20)
    engine = client.client.eio
    answer = payload['assistant_responses'][0]['content']
    print(json.dumps({'transport': engine.current_transport, 'sid': engine.sid, 'answer': answer}))
