#!/bin/sh
# A walk through the REST API: an account, a question and its answer, what was stored, the tokens' life.
# Needs only a running server and curl. Run it as often as you like: each run makes an account of its own.
set -eu

url=${TERTULIA_URL:-http://localhost:8000}
api=$url/api/v1
username=${TERTULIA_NEW_USERNAME:-walker-$$-$(date +%s)}
password='a long walk in the rain'

# Sends JSON: METHOD PATH [BODY]. Prints the answer's body; a refusal ends the walk with what the server said.
call() {
  method=$1 path=$2
  shift 2
  answer=$(curl --silent --show-error --request "$method" --write-out '\n%{http_code}' \
    --header 'Content-Type: application/json' \
    ${token:+--header "Authorization: Bearer $token"} \
    ${1:+--data "$1"} "$api$path")
  status=${answer##*
}
  body=${answer%
*}
  if [ "$status" -ge 400 ]; then
    printf '%s %s was refused with %s: %s\n' "$method" "$path" "$status" "$body" >&2
    exit 1
  fi
  printf '%s' "$body"
}

# The first text value of a name in a JSON document. Enough for ids and tokens; for more take a JSON tool such as jq.
value() {
  printf '%s' "$2" | grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4
}

token=

echo "1. Register as $username"
call POST /auth/register "{\"username\": \"$username\", \"email\": \"$username@example.com\", \"password\": \"$password\"}"
echo

echo '2. Log in'
tokens=$(call POST /auth/login "{\"username\": \"$username\", \"password\": \"$password\"}")
token=$(value access_token "$tokens")
refresh_token=$(value refresh_token "$tokens")
echo "access token: ${#token} characters"

echo '3. Send a message and wait up to 20 seconds for the answer'
exchange=$(call POST '/chat?wait=20' '{"message": "Hello from curl!", "metadata": {"client": "curl"}}')
task_id=$(value task_id "$exchange")
conversation_id=$(value conversation_id "$exchange")
echo "$exchange"

echo '4. My conversations'
call GET '/conversations?limit=5'
echo

echo '5. The history of this one'
call GET "/conversations/$conversation_id/messages"
echo

echo '6. The task: one message and its answers'
call GET "/tasks/$task_id"
echo

echo '7. Exchange the refresh token; each can be used once'
tokens=$(call POST /auth/refresh "{\"refresh_token\": \"$refresh_token\"}")
token=$(value access_token "$tokens")
echo "new access token: ${#token} characters"

echo '8. Log out, which also closes the sockets of this login'
call POST /auth/logout
refused=$(curl --silent --header "Authorization: Bearer $token" "$api/auth/me")
echo "The token is refused from now on, as expected: $refused"
