-- Puts every sequence that a column owns behind the column's largest value. Safe to run again.
DO $$
DECLARE
    owned record;
    next_value bigint;
BEGIN
    FOR owned IN
        SELECT t.oid::regclass AS table_name, a.attname AS column_name, s.oid::regclass AS sequence_name
        FROM pg_class s
        JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass
            AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
        JOIN pg_class t ON t.oid = d.refobjid
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
        WHERE s.relkind = 'S' AND t.relkind IN ('r', 'p') AND t.relnamespace = current_schema()::regnamespace
    LOOP
        EXECUTE format('SELECT coalesce(max(%I), 0) + 1 FROM %s', owned.column_name, owned.table_name)
            INTO next_value;
        PERFORM setval(owned.sequence_name, next_value, false);
    END LOOP;
END
$$;
