# The slow step: FrankenPHP with PHP and every extension, compiled from source, without an application. It takes
# half an hour, and is built again only when an argument below, the builder image or a file copied here changes.
#
# What `app-embed.Dockerfile` needs stays in the image: the record of how the program was linked
# (/opt/osv4/link), PHP's libraries and headers (dist/static-php-cli/buildroot), Go with its caches.
ARG LIBC=musl
ARG BUILDER_MUSL=dunglas/frankenphp:static-builder-musl-1.12.7
ARG BUILDER_GLIBC=dunglas/frankenphp:static-builder-gnu-1.12.7

FROM ${BUILDER_MUSL} AS builder-musl

FROM ${BUILDER_GLIBC} AS builder-glibc

FROM builder-${LIBC} AS base
ARG FRANKENPHP_VERSION
ARG PHP_VERSION
ARG PHP_EXTENSIONS
ARG PHP_EXTENSION_LIBS=
# Naming modules replaces FrankenPHP's own list, so its three are here again, at the versions that its
# caddy/go.mod has. One more module is one more `--with NAME@VERSION`.
ARG XCADDY_MODULES="--with github.com/dunglas/caddy-cbrotli@v1.0.1 --with github.com/dunglas/mercure/caddy@v0.24.2 --with github.com/dunglas/vulcain/caddy@v1.4.2"

# CI is empty because build-static.sh would throw sources and downloads away; no EMBED, because the application
# comes later.
ENV CI= EMBED= \
    FRANKENPHP_VERSION=${FRANKENPHP_VERSION} \
    PHP_VERSION=${PHP_VERSION} \
    SPC_CMD_VAR_FRANKENPHP_XCADDY_MODULES=${XCADDY_MODULES} \
    GOTOOLCHAIN=local \
    XCADDY_WHICH_GO=/opt/osv4/bin/record-go
WORKDIR /go/src/app
SHELL ["/bin/sh", "-euc"]

COPY base/ /opt/osv4/bin/

# Downloads, in a layer of their own, so that a failed compilation does not fetch a gigabyte again.
RUN --mount=type=secret,id=github-token /opt/osv4/bin/download

# The compilation. No secret is mounted here, so none can be recorded.
RUN /opt/osv4/bin/compile

RUN /opt/osv4/bin/licences > /opt/osv4/licences.txt
LABEL org.opencontainers.image.title="FrankenPHP base of OrangeScrum" \
      org.orangescrum.php="${PHP_VERSION}" \
      org.orangescrum.frankenphp="${FRANKENPHP_VERSION}" \
      org.orangescrum.extensions="${PHP_EXTENSIONS}"
