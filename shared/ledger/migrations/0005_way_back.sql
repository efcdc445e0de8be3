-- Suppliers from Cin7 back to IFS: what both sides have in common, what they differ on, and how old a reading is.

-- When the reading began that an entry stands for: what was read before a write of ours shows less than we know.
alter table entry add column read_at timestamptz not null default now();

-- The three values of a field on which both sides differ; empty for every other reason.
alter table finding
    add column before text not null default '',
    add column ifs text not null default '',
    add column cin7 text not null default '';

-- `written` is what both sides have in common. `own`: entries that Cin7 has for itself (id to mark), null until somebody
-- looked. `asserted`: fields in which IFS is to prevail for once. `ifs_at`, `cin7_at`: when the connector changed a side
-- last. `echo`: what IFS shows next is our own write. `making`: its supplier is being created in IFS, part by part.
-- `for_ifs`, `for_cin7`: what both sides will have in common once a write that was begun there is done.
alter table link
    add column making boolean not null default false,
    add column own jsonb,
    add column asserted text[] not null default '{}',
    add column ifs_at timestamptz,
    add column cin7_at timestamptz,
    add column echo boolean not null default false,
    add column for_ifs bytea,
    add column for_cin7 bytea;

-- Which differences a person is asked to settle: the three versions, in Cin7's words, as they were when it was held.
create table conflict (
    entry_id bigint not null,
    round integer not null,
    account text not null,
    ifs_key text not null,
    before bytea not null,
    ifs bytea not null,
    cin7 bytea not null,
    silent text[] not null default '{}',
    at timestamptz not null default now(),
    primary key (entry_id, round, account)
);
create index conflict_pair on conflict (ifs_key, account);
