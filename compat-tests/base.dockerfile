# The base of every container, from an ordinary public image (RMQ_COMPAT_BASE_IMAGE).
ARG BASE
FROM ${BASE}
RUN if ! command -v java || ! command -v ss || ! python3 -c 'import ensurepip, venv'; then \
      apt-get update \
      && apt-get install -y --no-install-recommends ca-certificates iproute2 openjdk-17-jre-headless python3 python3-venv \
      && rm -rf /var/lib/apt/lists/*; \
    fi
