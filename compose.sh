#!/bin/sh
# `make compose`: makes the two secrets that docker-compose.yml needs, where they are missing, and
# starts the containers. Run again it is the upgrade. Nothing but sh and Docker has to be there.
set -eu
cd "$(dirname "$0")"

fail() {
    echo "make compose: $*" >&2
    exit 1
}

docker compose version >/dev/null 2>&1 ||
    fail "Docker with its compose plug-in is needed: https://docs.docker.com/compose/install/"

# $1 random lower-case letters and digits.
random() {
    LC_ALL=C tr -dc a-z0-9 </dev/urandom | dd bs=1 count="$1" 2>/dev/null
}

if ! [ "${TRADE_MISSIONS_DB_PASSWORD:-}" ] && ! grep -qs '^TRADE_MISSIONS_DB_PASSWORD=.' .env; then
    # A last line without its end would swallow ours.
    [ ! -s .env ] || [ -z "$(tail -c 1 .env)" ] || echo >>.env
    (umask 077 && echo "TRADE_MISSIONS_DB_PASSWORD=$(random 32)" >>.env)
    echo "The database's password is new, in .env. Keep it: the database that is made with it"
    echo "does not open without it."
fi

if ! [ -s secrets/admin-key ]; then
    mkdir -p secrets
    (umask 077 && echo "tmd_$(random 8)_$(random 43)" >secrets/admin-key.new)
    mv secrets/admin-key.new secrets/admin-key
    echo "The first admin key is new, in secrets/admin-key."
fi
grep -Eqx 'tmd_[a-z0-9]{8}_[a-z0-9]{43}' secrets/admin-key ||
    fail "secrets/admin-key holds no key: remove it, and a new one is made."
# The service is user 10001 in its container and sees the file with the mode it has here, so all
# may read it; the folder keeps everybody else on this machine out.
if [ -O secrets/admin-key ]; then
    chmod 700 secrets
    chmod 644 secrets/admin-key
fi

docker compose up --build --wait --wait-timeout 300 "$@" || {
    docker compose logs --tail 30 api >&2
    fail "the service did not become ready; above are the last lines of its log."
}
echo "It serves on http://$(docker compose port api 8000)/docs"
echo "To write: export KEY=\$(cat secrets/admin-key), and curl -u :\$KEY …"
