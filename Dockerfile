# The app and the indexer in one image: `trimbin` is its entry point.
# PyAV and imageio-ffmpeg bring builds of ffmpeg with GPL encoders (x264, x265): mind that
# before publishing an image.
FROM python:3.11-slim-bookworm

RUN useradd --create-home --uid 1000 trimbin \
 && install -d -o trimbin /library /films /home/trimbin/.cache
WORKDIR /srv/trimbin
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY app app
COPY indexer indexer
COPY qdrant qdrant
RUN pip install --no-cache-dir -c constraints.txt ".[offline]"

USER trimbin
ENV TRIMBIN_LIBRARY=/library PYTHONUNBUFFERED=1
VOLUME ["/library", "/home/trimbin/.cache"]
EXPOSE 8501
ENTRYPOINT ["trimbin"]
# Inside the container the page listens on every interface; compose publishes it on loopback only.
CMD ["ui", "--host", "0.0.0.0", "--no-browser"]
