-- Before a restore: takes everything out of the schema that comes first in the search path, but what
-- belongs to extensions. Runs in the transaction of the restore, so a restore that fails changes nothing.
DO $$
DECLARE
    it record;
BEGIN
    FOR it IN
        SELECT c.oid, c.relkind, format('%I.%I', current_schema(), c.relname) AS name
        FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace
          AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
        -- Sequences last: that of an identity column goes with its table, and not alone.
        ORDER BY c.relkind = 'S'
    LOOP
        -- One may have gone with another that owned it.
        CONTINUE WHEN NOT EXISTS (SELECT FROM pg_class WHERE oid = it.oid);
        EXECUTE format('DROP %s IF EXISTS %s CASCADE',
            CASE it.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, it.name);
    END LOOP;
    FOR it IN
        SELECT p.oid, p.oid::regprocedure AS name, p.prokind
        FROM pg_proc p
        WHERE p.pronamespace = current_schema()::regnamespace
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    LOOP
        CONTINUE WHEN NOT EXISTS (SELECT FROM pg_proc WHERE oid = it.oid);
        EXECUTE format('DROP %s %s CASCADE', CASE it.prokind WHEN 'a' THEN 'AGGREGATE' ELSE 'ROUTINE' END, it.name);
    END LOOP;
    FOR it IN
        SELECT t.oid, format('%I.%I', current_schema(), t.typname) AS name
        FROM pg_type t
        WHERE t.typnamespace = current_schema()::regnamespace
          AND t.typtype IN ('e', 'd', 'c', 'r')
          AND (t.typrelid = 0 OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e')
    LOOP
        CONTINUE WHEN NOT EXISTS (SELECT FROM pg_type WHERE oid = it.oid);
        EXECUTE format('DROP TYPE IF EXISTS %s CASCADE', it.name);
    END LOOP;
END
$$;
