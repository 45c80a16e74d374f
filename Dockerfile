# prior-bench in a container.
#   CPU:   docker build -t prior-bench .
#   CUDA:  docker build -t prior-bench --build-arg TORCH_INDEX= .   (PyPI's PyTorch brings CUDA; the host needs a driver)
#   demo:  docker run --rm -v prior-bench:/work prior-bench run demo --jobs 2
FROM python:3.11-slim-bookworm
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PYTHONUNBUFFERED=1

# OpenCV, which MMDetection and MMSegmentation import, needs these two
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/prior-bench
COPY . .
# the versions that the tests ran with; the wheel holds configs, cards and splits
RUN python -m venv .venv \
    && .venv/bin/python -m pip install --no-cache-dir -c constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} .
ENV PATH="/opt/prior-bench/.venv/bin:$PATH"

# data, caches and results go to the working folder, which is a volume
RUN useradd --create-home --uid 1000 bench && mkdir /work && chown bench /work
USER 1000
WORKDIR /work
VOLUME /work
ENTRYPOINT ["prior-bench"]
CMD ["doctor"]
