# Our server: the checkout's wheel and its pinned dependencies, installed without a network.
ARG BASE
FROM ${BASE}
COPY wheels /wheels
RUN python3 -m venv /opt/rmq \
 && /opt/rmq/bin/pip install -q --no-index --find-links /wheels /wheels/*.whl
COPY project /project
RUN /opt/rmq/bin/pip install -q --no-index --no-deps /project/*.whl
ENV PATH=/opt/rmq/bin:$PATH PYTHONUNBUFFERED=1
