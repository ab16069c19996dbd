# shellcheck shell=sh
# PostgreSQL's own programs, for backups; nothing else needs them.

# osv4_postgres PROGRAM…: each must be there. Sets PG* for them and _osv4_schema, from the settings
# of the application (after osv4_extract). The password goes through the environment.
osv4_postgres() {
    for _osv4_each; do
        command -v "$_osv4_each" >/dev/null ||
            osv4_fail 78 "the program $_osv4_each is missing: install postgresql-client, not older than the server"
    done
    _osv4_lines=$(osv4_php "$OSV4_HOME/helpers/php/connection.php") || exit 78
    {
        IFS= read -r PGHOST
        IFS= read -r PGPORT
        IFS= read -r PGUSER
        IFS= read -r PGPASSWORD
        IFS= read -r PGDATABASE
        IFS= read -r _osv4_schema
    } <<LINES
$_osv4_lines
LINES
    PGCONNECT_TIMEOUT=${DB_WAIT_TIMEOUT:-60}
    export PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE PGCONNECT_TIMEOUT
}
