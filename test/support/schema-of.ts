import postgres from "postgres";

/**
 * All that Postgres knows about the schema of a database, from its catalogue: what `pg_dump` would
 * write down, as lines that can be compared. The ledger of the migrations itself is left out.
 */
export async function schemaOf(url: string): Promise<string[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    const rows = await sql.unsafe<{ line: string }[]>(CATALOGUE);
    return rows.map(({ line }) => line).sort();
  } finally {
    await sql.end();
  }
}

const OURS = `n.nspname NOT IN ('pg_catalog', 'information_schema', 'drizzle') AND n.nspname NOT LIKE 'pg_%'`;

const CATALOGUE = `
  SELECT format('schema %s acl=%s comment=%s', n.nspname, n.nspacl, obj_description(n.oid, 'pg_namespace')) AS line
  FROM pg_namespace n WHERE ${OURS}

  UNION ALL
  SELECT format('relation %s.%s kind=%s persistence=%s options=%s acl=%s rls=%s replica=%s partition=%s comment=%s',
    n.nspname, c.relname, c.relkind, c.relpersistence, c.reloptions, c.relacl, c.relrowsecurity, c.relreplident,
    pg_get_expr(c.relpartbound, c.oid), obj_description(c.oid, 'pg_class'))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OURS} AND c.relkind <> 't'

  UNION ALL
  SELECT format('toast of %s.%s options=%s', n.nspname, c.relname, t.reloptions)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class t ON t.oid = c.reltoastrelid
  WHERE ${OURS} AND t.reloptions IS NOT NULL

  UNION ALL
  SELECT format('column %s.%s #%s %s %s notnull=%s default=%s identity=%s generated=%s collation=%s storage=%s '
    'compression=%s statistics=%s options=%s acl=%s comment=%s',
    n.nspname, c.relname, row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), a.attname,
    format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated,
    co.collname, a.attstorage, a.attcompression, a.attstattarget, a.attoptions, a.attacl,
    col_description(c.oid, a.attnum))
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_collation co ON co.oid = a.attcollation
  WHERE ${OURS} AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')

  UNION ALL
  SELECT format('constraint %s.%s.%s %s validated=%s comment=%s', n.nspname, c.relname, k.conname,
    pg_get_constraintdef(k.oid), k.convalidated, obj_description(k.oid, 'pg_constraint'))
  FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace LEFT JOIN pg_class c ON c.oid = k.conrelid
  WHERE ${OURS}

  UNION ALL
  SELECT format('index %s valid=%s clustered=%s', pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisclustered)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OURS}

  UNION ALL
  SELECT format('view %s.%s %s', n.nspname, c.relname, pg_get_viewdef(c.oid))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OURS} AND c.relkind IN ('v', 'm')

  UNION ALL
  SELECT format('trigger %s enabled=%s', pg_get_triggerdef(t.oid), t.tgenabled)
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE ${OURS} AND NOT t.tgisinternal

  UNION ALL
  SELECT format('rule %s', pg_get_ruledef(r.oid))
  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE ${OURS} AND r.rulename <> '_RETURN'

  UNION ALL
  SELECT format('policy %s on %s.%s %s %s using=%s check=%s', p.polname, n.nspname, c.relname, p.polcmd, p.polroles,
    pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OURS}

  UNION ALL
  SELECT format('routine %s acl=%s comment=%s', CASE p.prokind WHEN 'a' THEN p.oid::regprocedure::text
    ELSE pg_get_functiondef(p.oid) END, p.proacl, obj_description(p.oid, 'pg_proc'))
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${OURS}

  UNION ALL
  SELECT format('type %s.%s kind=%s base=%s notnull=%s default=%s labels=%s acl=%s comment=%s', n.nspname, t.typname,
    t.typtype, format_type(nullif(t.typbasetype, 0), t.typtypmod), t.typnotnull, t.typdefault,
    (SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), t.typacl,
    obj_description(t.oid, 'pg_type'))
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE ${OURS}

  UNION ALL
  SELECT format('sequence %s.%s %s start=%s increment=%s min=%s max=%s cache=%s cycle=%s', n.nspname, c.relname,
    format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle)
  FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OURS}

  UNION ALL
  SELECT format('extension %s %s', e.extname, e.extversion) FROM pg_extension e

  UNION ALL
  SELECT format('default privileges %s %s %s', d.defaclobjtype, d.defaclnamespace::regnamespace, d.defaclacl)
  FROM pg_default_acl d`;
