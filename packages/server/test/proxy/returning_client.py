"""Connects, waits until it has come back after an end, and prints the sessions it had: returning_client.py URL TRANSPORTS

The token comes from the standard input.
"""

import sys
import threading

import socketio

url, transports = sys.argv[1:]
client = socketio.Client(reconnection_delay=0.1)
sessions = []
returned = threading.Event()


@client.event
def connect():
    sessions.append(client.eio.sid)
    if len(sessions) == 2:
        returned.set()


client.connect(url, auth={'token': sys.stdin.read()}, transports=transports.split(','))
returned.wait(30)
print(*sessions)
client.disconnect()
