# The slow step: everything an application is put into. It needs the network, and is built again
# only when this file, a file it copies, an argument or the image below it changes.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}

# pip fetches the one part that Debian does not have.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends ca-certificates python3-pip \
    && rm -rf /var/lib/apt/lists/*

# PHP without libraries, as a program that runs the code appended to it (phpmicro). It comes as the
# head of a tool that is made in just this way: of this length, then follow the tool's settings and
# code. The tool itself is what appends settings and code to heads.
WORKDIR /opt/php
COPY parts.txt .
ARG HEAD_BYTES=2716783
RUN pip download --quiet --no-deps --require-hashes --requirement parts.txt --dest /tmp/parts \
    && python3 -m zipfile --extract /tmp/parts/static_php_build-*.whl /tmp/parts \
    && install -m 755 /tmp/parts/static_php_build/_resources/spc spc \
    && head -c "$HEAD_BYTES" spc >micro.sfx \
    && rm -rf /tmp/parts

# The server that will run the application, and the program that packs both.
COPY server/ server/
COPY pack.php .
RUN cat micro.sfx pack.php >pack && chmod 755 pack && ./pack --check server

# Last, because it changes most often.
COPY php.ini .
