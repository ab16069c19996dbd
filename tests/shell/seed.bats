# Seeding: once, whole, and by no guess; whatever is killed in between.

load lib/start

bats_require_minimum_version 1.5.0

setup_file() {
    postgres_start
    # What one undisturbed start makes, to compare with.
    postgres_database reference
    home_make
    home_settings
    "$HELPERS/prepare.sh"
    rows_text >"$BATS_FILE_TMPDIR/reference"
    home_remove
}

teardown_file() { postgres_stop; }

setup() {
    postgres_database
    home_make
    home_settings
}

teardown() {
    home_remove
    rm -rf "${other:-}"
}

prepare() { "$HELPERS/prepare.sh"; }

as_undisturbed() {
    rows_text | sed 's/reference/orangescrum/' | diff <(sed 's/reference/orangescrum/' "$BATS_FILE_TMPDIR/reference") -
}

# another_app: a copy of the application to change, and what is packed from it in the package.
another_app() {
    other=$(mktemp -d "${TMPDIR:-/tmp}/osv4-app.XXXXXX")
    cp -R "$PROJECT/tests/orangescrum/app/." "$other"
}

install_app() {
    rm "$OSV4_HOME/orangescrum-app/osv4-prod"
    "$PROJECT/tests/orangescrum/pack.sh" "$OSV4_HOME/orangescrum-app/osv4-prod" "$other"
}

new_seeder() {
    cat >"$other/config/Seeds/NewThingsSeeder.php" <<'PHP'
<?php

declare(strict_types=1);

use App\Database\Seeder;

final class NewThingsSeeder extends Seeder
{
    public function run(): void
    {
        $this->insert('new_things', [['id' => 10, 'name' => 'seeded']]);
    }
}
PHP
    cat >"$other/config/Migrations/20261001000000_CreateNewThings.php" <<'PHP'
<?php

declare(strict_types=1);

use App\Database\Migration;

final class CreateNewThings extends Migration
{
    public function up(): void
    {
        $this->execute('CREATE TABLE new_things (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text)');
    }
}
PHP
}

# As the former system made it: by hand, without marks.
by_hand() {
    "$HELPERS/cake.sh" migrations migrate --no-lock
    "$HELPERS/cake.sh" migrations migrate --no-lock -p Notes
    [[ $1 == seeded ]] || return 0
    local tree
    tree=$(echo "$OSV4_HOME"/state/run/cake/frankenphp_*/)
    PGOPTIONS='-c role=orangescrum' postgres_query "$(cat "$tree/config/schema/pg_config_1.sql")"
    "$HELPERS/cake.sh" migrations seed
    "$HELPERS/cake.sh" migrations seed -p Notes
    postgres_query "$(cat "$tree/config/schema/pg_config_2.sql")"
}

@test "seeds with ids of their own, in the order that they need, and then new rows" {
    prepare
    as_undisturbed
    # RoleActionsSeeder comes before RolesSeeder by name, and needs it.
    [[ $(postgres_query "SELECT string_agg(seeder, ' ' ORDER BY begun) FROM osv4_seeding WHERE seeder IN ('RolesSeeder', 'RoleActionsSeeder')") == 'RolesSeeder RoleActionsSeeder' ]]
    [[ $(postgres_query "SELECT nextval(pg_get_serial_sequence('roles', 'id')) - max(id) FROM roles") == 1 ]]
}

@test "killed inside a seeder's transaction: its rows are gone, and come" {
    home_background one env TEST_SEED_PAUSE_INSIDE=100 "$HELPERS/prepare.sh"
    wait_until 30 grep -q 'ActionsSeeder: seeding' "$HOME_FOLDER/one.log"
    wait_until 30 step_is 'idle in transaction'
    kill_all
    [[ $(postgres_query 'SELECT count(*) FROM actions') == 0 ]]
    run prepare
    [[ $status == 0 && $output == *'seeding was interrupted'* && $output == *'Database seeding: completed after an interruption, 6 seeders of 6'* ]]
    as_undisturbed
}

@test "killed between a seeder's commit and its mark: its rows are not put in twice" {
    home_background one env TEST_SEED_PAUSE=100 "$HELPERS/prepare.sh"
    wait_until 30 step_is idle COMMIT
    kill_all
    [[ $(postgres_query 'SELECT count(*) FROM actions') == 4 ]]
    [[ $(postgres_query 'SELECT count(*) FROM osv4_seeding WHERE done IS NOT NULL') == 0 ]]
    run prepare
    [[ $status == 0 && $output == *'ActionsSeeder had committed its rows'* && $output == *'5 seeders of 6'* ]]
    as_undisturbed
}

@test "killed after each single seeder, again and again: whole in the end" {
    for round in 1 2 3; do
        home_background "round$round" env TEST_SEED_PAUSE_INSIDE=0.7 "$HELPERS/prepare.sh"
        wait_until 30 eval '[[ $(postgres_query "SELECT count(*) FROM osv4_seeding WHERE done IS NOT NULL" 2>/dev/null || echo 0) -ge '$round' ]]'
        kill_all
    done
    prepare
    as_undisturbed
}

@test "killed before the sequences: they are set by the next start" {
    prepare
    postgres_query "UPDATE osv4_seeding SET done = NULL WHERE seeder = '(sequences)'"
    postgres_query "SELECT setval(pg_get_serial_sequence('actions', 'id'), 1, false)"
    run prepare
    [[ $output == *'completed after an interruption, 0 seeders of 6'* ]]
    as_undisturbed
}

@test "a seeder that fails ends the start with 70; the next one goes on behind those that are done" {
    TEST_BREAK_SEEDER=RolesSeeder run prepare
    [[ $status == 70 && $output == *'RolesSeeder fails'* && $output == *'error: the seeder `RolesSeeder` failed'* ]]
    [[ $(postgres_query 'SELECT count(*) FROM roles') == 0 ]]
    run prepare
    [[ $status == 0 && $output == *'3 seeders of 6'* ]]
    as_undisturbed
}

@test "duplicate keys are an error, never success" {
    prepare
    postgres_query "DELETE FROM osv4_seeding WHERE seeder IN ('ActionsSeeder', '(sequences)')"
    run prepare
    [[ $status == 70 && $output == *duplicate* ]]
    run prepare
    [[ $status == 70 ]]
}

@test "rows and no mark: a database of the former system is recorded and left alone" {
    by_hand seeded
    postgres_query "UPDATE roles SET name = 'Boss' WHERE id = 1; DELETE FROM role_actions WHERE id = 2"
    rows_text >"$HOME_FOLDER/before"
    run prepare
    [[ $status == 0 && $output == *'taken as seeded by an earlier system'* && $output == *'Database seeding: nothing to do'* ]]
    rows_text | diff "$HOME_FOLDER/before" -
    database_text >"$HOME_FOLDER/before"
    prepare
    database_text | diff "$HOME_FOLDER/before" -
}

@test "migrated before but never seeded: seeds go in" {
    by_hand unseeded
    run prepare
    [[ $status == 0 && $output == *'Database seeding: done, 6 seeders of 6'* ]]
    as_undisturbed
}

@test "rows that migrations bring are no sign of seeding" {
    another_app
    cat >"$other/config/Migrations/20261001000000_AddAction.php" <<'PHP'
<?php

declare(strict_types=1);

use App\Database\Migration;

final class AddAction extends Migration
{
    public function up(): void
    {
        $this->execute("CREATE TABLE of_migration (id int)");
        $this->execute("INSERT INTO of_migration VALUES (1)");
    }
}
PHP
    install_app
    TEST_BREAK_MIGRATION=CreateNotes run prepare
    [[ $status == 70 ]]
    run prepare
    [[ $status == 0 && $output == *'Database seeding: done, 6 seeders of 6'* ]]
}

@test "a seeder that a newer version brings runs once, with its table" {
    prepare
    another_app
    new_seeder
    install_app
    run prepare
    [[ $status == 0 && $output == *'Database seeding: done, 1 seeder of 7'* ]]
    [[ $(postgres_query 'SELECT name FROM new_things') == seeded ]]
    # The next id comes behind.
    [[ $(postgres_query "INSERT INTO new_things (name) VALUES ('x') RETURNING id") == 11 ]]
    run prepare
    [[ $output == *'nothing to do, 7 seeders recorded'* ]]
}

@test "a new seeder keeps away from a table that people have filled" {
    prepare
    postgres_query "CREATE TABLE new_things (id int PRIMARY KEY, name text); INSERT INTO new_things VALUES (10, 'mine'); ALTER TABLE new_things OWNER TO orangescrum"
    another_app
    new_seeder
    rm "$other"/config/Migrations/*_CreateNewThings.php
    install_app
    run prepare
    [[ $status == 0 && $output == *'NewThingsSeeder is new, but its tables have rows'* ]]
    [[ $(postgres_query 'SELECT name FROM new_things') == mine ]]
}

@test "taken over and upgraded in one: the new seeder runs, the old ones do not" {
    by_hand seeded
    another_app
    new_seeder
    install_app
    run prepare
    [[ $status == 0 && $output == *'earlier system'* && $output == *'1 seeder of 7'* ]]
    [[ $(postgres_query 'SELECT name FROM new_things') == seeded && $(postgres_query 'SELECT count(*) FROM actions') == 4 ]]
}

@test "a query that fails is an error, never an empty database" {
    prepare
    postgres_query 'ALTER TABLE osv4_seeding OWNER TO postgres; REVOKE ALL ON osv4_seeding FROM orangescrum'
    run prepare
    [[ $status == 70 && $output == *'permission denied'* ]]
    postgres_database
    by_hand seeded
    postgres_query 'ALTER TABLE actions OWNER TO postgres'
    run prepare
    [[ $status == 70 && $output == *'permission denied'* ]]
    [[ $(postgres_query 'SELECT count(*) FROM actions') == 4 ]]
}

@test "another schema: tables, marks and sequences are there and nowhere else" {
    postgres_query 'CREATE SCHEMA tenant AUTHORIZATION orangescrum'
    DB_SCHEMA=tenant prepare
    [[ $(postgres_query "SELECT count(*) FROM tenant.osv4_seeding WHERE done IS NOT NULL") == 7 ]]
    [[ $(postgres_query "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0 ]]
    [[ $(postgres_query "SELECT nextval(pg_get_serial_sequence('tenant.actions', 'id')) - max(id) FROM tenant.actions") == 1 ]]
    # A second installation beside it.
    prepare
    as_tenant=$(postgres_query 'SELECT count(*) FROM tenant.roles')
    [[ $as_tenant == 4 && $(postgres_query 'SELECT count(*) FROM public.roles') == 4 ]]
}

@test "our own scripts do what the application's do, where it has none" {
    another_app
    rm "$other"/config/schema/pg_config_*.sql
    install_app
    prepare
    as_undisturbed
}

@test "the scripts can be run again, and know odd names" {
    postgres_query 'CREATE TABLE "Odd Name" ("The Id" int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, serial serial, word text)'
    for round in 1 2; do
        postgres_query "$(cat "$PROJECT/common/helpers/sql/pg_config_1.sql")"
        postgres_query "INSERT INTO \"Odd Name\" (\"The Id\", serial) VALUES (${round}00, ${round}000)"
        postgres_query "$(cat "$PROJECT/common/helpers/sql/pg_config_2.sql")"
        [[ $(postgres_query 'INSERT INTO "Odd Name" (word) VALUES ($$x$$) RETURNING "The Id", serial') == "${round}01|${round}001" ]]
    done
}
