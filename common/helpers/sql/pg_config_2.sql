-- After seeding: each sequence that a column owns goes on behind the largest id that is there. Can
-- be run again. Acts on the schema that comes first in the search path.
DO $$
DECLARE
    it record;
    next bigint;
BEGIN
    FOR it IN
        SELECT t.relname AS tab, a.attname AS col, s.oid::regclass AS seq
        FROM pg_depend d
        JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
        JOIN pg_class t ON t.oid = d.refobjid AND t.relkind IN ('r', 'p')
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass
          AND d.refclassid = 'pg_class'::regclass
          AND d.deptype IN ('a', 'i')
          AND t.relnamespace = current_schema()::regnamespace
    LOOP
        EXECUTE format('SELECT coalesce(max(%I), 0) + 1 FROM %I.%I', it.col, current_schema(), it.tab) INTO next;
        PERFORM setval(it.seq, greatest(next, 1), false);
    END LOOP;
END
$$;
