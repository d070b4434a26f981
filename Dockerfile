# The service as a wheel, in an image that runs as nobody in particular.
FROM python:3.13-slim-trixie AS build
# The key that PostgreSQL's packages are signed with, as Debian ships it.
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql-common
WORKDIR /src
COPY requirements.lock .
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock
COPY . .
RUN /opt/venv/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /dist . \
    && /opt/venv/bin/pip install --no-cache-dir --no-deps /dist/*.whl \
    && /opt/venv/bin/pip check

FROM python:3.13-slim-trixie
# What `trade-missions backup` and `restore` run. Debian's own client is older than the server, and
# an older pg_dump refuses a newer server; so it comes from PostgreSQL's packages for Debian.
ARG POSTGRESQL=18
COPY --from=build /usr/share/postgresql-common/pgdg/apt.postgresql.org.asc /usr/share/keyrings/
RUN echo "deb [signed-by=/usr/share/keyrings/apt.postgresql.org.asc]" \
        https://apt.postgresql.org/pub/repos/apt trixie-pgdg main \
        > /etc/apt/sources.list.d/pgdg.list \
    && apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client-$POSTGRESQL \
    && rm -rf /var/lib/apt/lists/*
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
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
CMD ["trade-missions", "serve", "--prepare"]
