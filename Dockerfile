# The service as a wheel, in an image that runs as nobody in particular.

FROM python:3.13-slim-trixie AS build
RUN apt-get update && apt-get install --yes --no-install-recommends binutils
# The environment gets no pip of its own: this one installs into it.
ENV PIP_PYTHON=/opt/venv/bin/python PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements.lock .
RUN python -m venv --without-pip /opt/venv \
    && pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock
COPY . .
# What only the build needs goes again, and of libraries the names that only debuggers read: a
# quarter of the whole. A library that does not load after that fails here, not in the service.
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /dist . \
    && pip install --no-cache-dir --no-deps /dist/*.whl \
    && pip check \
    && pip uninstall --yes hatchling editables pathspec pluggy trove-classifiers \
    && find /opt/venv -name '*.so' -exec strip --strip-unneeded {} + \
    && cd / && /opt/venv/bin/trade-missions routes > /dev/null \
    && /opt/venv/bin/python -c "import asyncpg, httptools, pyarrow.parquet, uvloop, vl_convert, yaml"

# What `trade-missions backup` and `restore` run. Debian's own client is older than the server, and
# an older pg_dump refuses a newer server; so it comes from PostgreSQL's packages for Debian. These
# bring Perl with them, 160 MB in all, for programs that nobody calls here: so three programs are
# taken out, and the libraries of theirs that the image has not already.
FROM python:3.13-slim-trixie AS client
ARG POSTGRESQL=18
RUN ls /usr/lib/*-linux-gnu > /present \
    && apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-common
# postgresql-common has the key that PostgreSQL's packages are signed with, as Debian ships it.
RUN key=/usr/share/postgresql-common/pgdg/apt.postgresql.org.asc \
    && echo "deb [signed-by=$key] https://apt.postgresql.org/pub/repos/apt trixie-pgdg main" \
        > /etc/apt/sources.list.d/pgdg.list \
    && apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client-$POSTGRESQL \
    && mkdir -p /client/bin /client/lib \
    && cd /usr/lib/postgresql/$POSTGRESQL/bin \
    && cp pg_dump pg_restore psql /client/bin \
    && ldd /client/bin/* | awk '$3 ~ "^/" { print $3 }' | sort -u | while read -r library; do \
        grep -qxF "${library##*/}" /present || cp "$library" /client/lib; done

FROM python:3.13-slim-trixie
COPY --from=client /client /usr/local
RUN ldconfig && pg_dump --version && pg_restore --version && psql --version
RUN useradd --system --uid 10001 --home-dir /data --create-home trade-missions \
    && install --directory --owner=trade-missions --mode=0700 /data /backups
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TRADE_MISSIONS_HOST=0.0.0.0 \
    TRADE_MISSIONS_DATABASE_URL=sqlite:////data/trade-missions.db
USER trade-missions
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-m", "app.commands.health"]
CMD ["trade-missions", "serve", "--prepare"]
