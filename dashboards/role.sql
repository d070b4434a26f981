-- A role for dashboards: it may read the views bi_… and nothing else. Run it as the owner of the
-- tables, and again after a restore: psql --set=password=… --file=dashboards/role.sql DATABASE
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'dashboards') THEN
    CREATE ROLE dashboards;
  END IF;
END $$;
ALTER ROLE dashboards LOGIN PASSWORD :'password' CONNECTION LIMIT 10;
ALTER ROLE dashboards SET default_transaction_read_only = on;
ALTER ROLE dashboards SET statement_timeout = '30s';
DO $$
DECLARE
  name text;
BEGIN
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO dashboards', current_database());
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO dashboards', current_schema());
  FOR name IN SELECT viewname FROM pg_views
    WHERE schemaname = current_schema() AND viewname LIKE 'bi\_%'
  LOOP
    EXECUTE format('GRANT SELECT ON %I TO dashboards', name);
  END LOOP;
END $$;
