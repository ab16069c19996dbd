# The quick step: Composer's packages, the application as one archive, and one `go build` that links it into the
# base's program. PHP is not compiled again.
ARG PHP_VERSION=8.3.29
ARG PHP_IMAGE=php:${PHP_VERSION}-cli
ARG COMPOSER_IMAGE=composer:2.8.12

FROM ${COMPOSER_IMAGE} AS composer

# Of the PHP that is embedded, so that Composer chooses for it. Needs GNU tar, which a Debian has.
FROM ${PHP_IMAGE} AS app
SHELL ["/bin/sh", "-euc"]
ENV COMPOSER_ALLOW_SUPERUSER=1 COMPOSER_NO_INTERACTION=1 COMPOSER_HOME=/opt/composer
RUN command -v unzip >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends git unzip; }
COPY --from=composer /usr/bin/composer /usr/local/bin/composer
COPY embed/ /opt/osv4/bin/

# What is installed depends on these two alone, so that a change of the application's own code installs nothing.
WORKDIR /srv/app
COPY package/composer.jso[n] package/composer.loc[k] ./
RUN --mount=type=secret,id=github-token /opt/osv4/bin/install-packages

COPY package/ ./
COPY Caddyfile php.ini ./
ARG PHP_EXTENSIONS
RUN /opt/osv4/bin/finish-application /srv/app \
    && php /opt/osv4/bin/check-requirements.php /srv/app "${PHP_EXTENSIONS}" \
    && /opt/osv4/bin/resolve-links /srv/app \
    && /opt/osv4/bin/pack /srv/app /out

# The tag of `base`, whose image osgraph puts here.
FROM orangescrum-cloud-base AS link
ARG LIBC=musl
ARG TARGETARCH
ARG PHP_EXTENSIONS
COPY --from=app /out/app.tar /out/app_checksum.txt /tmp/app/
RUN /opt/osv4/bin/link /tmp/app /out/osv4-prod
COPY embed/check-binary embed/extensions.php /opt/osv4/gates/
RUN /opt/osv4/gates/check-binary /out/osv4-prod "${LIBC}" "${TARGETARCH}" "${PHP_EXTENSIONS}" \
    "$(cat /tmp/app/app_checksum.txt)"
COPY --from=app /out/licences.txt /tmp/app/
# No times, so that the same application is the same image.
RUN cat /tmp/app/licences.txt /opt/osv4/licences.txt > /out/LICENSES.txt \
    && touch -d @0 /out/osv4-prod /out/LICENSES.txt

FROM scratch
COPY --from=link /out/osv4-prod /osv4-prod
COPY --from=link /out/LICENSES.txt /LICENSES.txt
