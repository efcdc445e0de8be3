-- What operators decide: stored credentials (encrypted before they arrive here) and the mapping tables.

create table credential (
    name text primary key,
    blob bytea not null,
    key_id text not null,
    updated_at timestamptz not null default now()
);

-- One row of one mapping table. `key` and `cells` hold its columns in the order of shared/config/tables.py.
create table mapping_row (
    table_name text not null,
    key text[] not null,
    cells text[] not null,
    primary key (table_name, key)
);

-- Every edit of a mapping table: `before` is null for a new row, `after` for a removed one.
create table mapping_edit (
    id bigint generated always as identity primary key,
    table_name text not null,
    key text[] not null,
    before text[],
    after text[],
    who text not null,
    edited_at timestamptz not null default now()
);
create index mapping_edit_row on mapping_edit (table_name, key);
create trigger mapping_edit_append_only before update or delete on mapping_edit
    for each row execute function refuse_change();
create trigger mapping_edit_no_truncate before truncate on mapping_edit
    for each statement execute function refuse_change();
