# The connector without its tests, its linters and the embedded servers: requirements-runtime.lock leaves them out.
FROM python:3.11.14-slim-bookworm AS packages
COPY requirements-runtime.lock /tmp/
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r /tmp/requirements-runtime.lock \
 && echo /app > /opt/venv/lib/python3.11/site-packages/connector.pth \
 && printf '#!/bin/sh\nexec /opt/venv/bin/python -P -m console "$@"\n' > /opt/venv/bin/connector \
 && chmod 755 /opt/venv/bin/connector

FROM python:3.11.14-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --home-dir /app --shell /usr/sbin/nologin connector
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY LICENSE Procfile ./
COPY shared shared
COPY producers producers
COPY workers workers
COPY console console
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001
CMD ["connector", "--help"]
