# docker build -t transformers-tour .                        works with and without a GPU; torch brings CUDA
# docker build --build-arg TORCH_INDEX=URL -t ... .          smaller: URL is PyTorch's index of CPU builds
# docker run -p 7860:7860 -v tour-cache:/cache transformers-tour
FROM python:3.12-slim

ARG TORCH_INDEX=""
ARG TORCH_VERSION="2.13.0"

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 PORT=7860 TOUR_CACHE=/cache HF_HOME=/cache/huggingface

WORKDIR /app
COPY requirements.txt .
RUN if [ -n "$TORCH_INDEX" ]; then pip install --index-url "$TORCH_INDEX" "torch==$TORCH_VERSION"; fi \
    && pip install "torch==$TORCH_VERSION" -r requirements.txt

COPY app.py Spacefile README.md LICENSE ./
COPY components components
COPY demos demos

RUN useradd --create-home --uid 1000 tour && mkdir /cache && chown tour /cache
USER tour
VOLUME /cache
EXPOSE 7860

HEALTHCHECK --interval=30s --timeout=5s --start-period=120s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health', timeout=4)"]
CMD ["python", "app.py"]
