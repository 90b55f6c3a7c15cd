FROM python:3.13.15-slim-bookworm AS base
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore

# hatchling comes hashed from the development requirements: the wheel is built with nothing unpinned
FROM base AS wheel
WORKDIR /src
COPY requirements-dev.txt ./
RUN pip install --require-hashes -r requirements-dev.txt
COPY pyproject.toml README.md ./
COPY migrations migrations
COPY service service
RUN pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /dist .

FROM base AS packages
RUN python -m venv /opt/stet
COPY requirements.txt ./
RUN /opt/stet/bin/pip install --require-hashes -r requirements.txt
COPY --from=wheel /dist /dist
RUN /opt/stet/bin/pip install --no-deps --no-index /dist/*.whl \
    && /opt/stet/bin/pip check \
    && /opt/stet/bin/pip uninstall -y pip

FROM base AS service
RUN groupadd --gid 10001 stet \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/stet --shell /usr/sbin/nologin stet \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/stet
COPY --from=packages /opt/stet /opt/stet
ENV PATH=/opt/stet/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STET_DATA=/var/lib/stet
WORKDIR /var/lib/stet
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz', timeout=2)"]
ENTRYPOINT ["stet"]
# Inside a container loopback cannot be reached from outside it. The first start prints the key of the owner; the pepper
# of the keys and the signing key stay in /var/lib/stet, so mount a volume there, or set STET_PEPPER and
# STET_SIGNING_KEY.
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
