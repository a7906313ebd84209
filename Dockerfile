# The image: one static binary and nothing else. scripts/build-static has the recipe, and tries
# what it builds in an empty root; scripts/check-containers reads this file.

FROM rust:1.95.0-bookworm AS build
WORKDIR /build
COPY . .
RUN scripts/build-static --build-only

FROM scratch

LABEL org.opencontainers.image.title="mocker" \
      org.opencontainers.image.description="A mock OpenAI API server at the speed of the kernel" \
      org.opencontainers.image.licenses="MIT"

COPY --from=build /build/target/static/mocker /mocker

# By its number: there is no /etc/passwd to find a name in, and Kubernetes' runAsNonRoot can tell
# from a number alone that it is not root.
USER 65532:65532

# Others reach a container's own address, not its loopback. A variable and no argument, so that
# arguments are free: `docker run mocker -big-payload` changes nothing else.
ENV MOCKER_HOST=0.0.0.0

# The default port; documentation alone.
EXPOSE 8000

# What `docker stop` sends. The server then answers what is in flight, for at most 5 of the 10
# seconds that it is given.
STOPSIGNAL SIGTERM

# There is no shell and no curl, so the binary asks itself. It knows the variables but not the
# arguments of the server: a port other than 8000 is better given as MOCKER_PORT.
HEALTHCHECK --interval=10s --timeout=3s --start-period=2s --retries=3 \
    CMD ["/mocker", "-healthcheck"]

ENTRYPOINT ["/mocker"]
