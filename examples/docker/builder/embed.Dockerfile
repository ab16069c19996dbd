# The quick step: the application and its server become one archive, the archive one program.
FROM osgraph-example-notes-base AS pack
WORKDIR /build
COPY package/ package/
RUN /opt/php/pack package /opt/php/server app.phar \
    && /opt/php/spc micro:combine app.phar -M /opt/php/micro.sfx -N /opt/php/php.ini -O notes --no-motd --quiet \
    && ./notes version \
    && touch --date=@0 notes

# Nothing but the program, and no time: what was packed from the same files is the same image.
FROM scratch
COPY --from=pack /build/notes /notes
