-- The ledger: what was pulled, what became of it, every call that was meant, and why something waits.
-- depends:

-- Legal moves of an entry. The same table stands in shared/ledger/states.py; a test compares the two.
create table move (
    was text not null,
    becomes text not null,
    primary key (was, becomes)
);
insert into move (was, becomes) values
    ('detected', 'mapped'), ('detected', 'retrying'), ('detected', 'held'), ('detected', 'superseded'),
    ('detected', 'echo'), ('detected', 'dismissed'),
    ('mapped', 'written'), ('mapped', 'waiting'), ('mapped', 'retrying'), ('mapped', 'held'),
    ('mapped', 'superseded'), ('mapped', 'echo'),
    ('waiting', 'mapped'), ('waiting', 'held'), ('waiting', 'superseded'),
    ('retrying', 'mapped'), ('retrying', 'written'), ('retrying', 'waiting'), ('retrying', 'held'),
    ('retrying', 'superseded'), ('retrying', 'echo'), ('retrying', 'dismissed'),
    ('held', 'detected'), ('held', 'dismissed'), ('held', 'superseded');

create table poll (
    id bigint generated always as identity primary key,
    flow text not null,
    company text not null default '',
    source text not null,
    strategy text not null,
    filter text not null default '',
    pulled_at timestamptz not null default now(),
    finished_at timestamptz,
    pages integer not null default 0,
    rows integer not null default 0,
    changed integer not null default 0,
    unchanged integer not null default 0,
    skipped integer not null default 0,
    watermark_from text,
    watermark_to text,
    outcome text not null default 'running',
    error text not null default '',
    generation bigint not null default 0
);
create index poll_flow on poll (flow, id);

-- One row per record ever seen: its newest version, its fingerprint, and the lock that lets one writer at a time work.
create table record (
    flow text not null,
    key text not null,
    version bigint not null default 0,
    fingerprint text not null default '',
    header_tag text not null default '',
    read_at timestamptz not null default 'epoch',
    company text not null default '',
    skipped text not null default '',
    written_version bigint not null default 0,
    fence bigint not null default 0,
    lease_until timestamptz,
    sweep bigint not null default 0,
    vanished_at timestamptz,
    primary key (flow, key)
) with (fillfactor = 70);

create table entry (
    id bigint generated always as identity primary key,
    flow text not null,
    key text not null,
    version bigint not null,
    fingerprint text not null,
    state text not null check (state in ('detected', 'mapped', 'written', 'waiting', 'retrying', 'held',
                                         'superseded', 'echo', 'dismissed')),
    stage text not null default 'map' check (stage in ('map', 'write')),
    company text not null default '',
    lane text not null default 'live',
    reread boolean not null default false,
    round integer not null default 1,
    attempts integer not null default 0,
    claims integer not null default 0,
    due_at timestamptz not null default now(),
    lease_until timestamptz,
    message_id uuid,
    waits_on text,
    ready boolean not null default false,
    stamp text not null default '',
    poll_id bigint,
    detected_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    -- The key first: by flow alone nobody may look here, or a claim by ids is planned as a walk through all of a flow.
    unique (key, flow, version)
) with (fillfactor = 70);
create index entry_moving on entry (id) where state in ('detected', 'mapped', 'retrying');
create index entry_resting on entry (due_at) where state = 'retrying';
create index entry_held on entry (flow, stage) where state = 'held';
create index entry_waiting on entry (waits_on) where state = 'waiting';

create function refuse_illegal_move() returns trigger language plpgsql as $$
begin
    if not exists (select 1 from move where was = old.state and becomes = new.state) then
        raise exception 'an entry may not move from % to %', old.state, new.state using errcode = 'check_violation';
    end if;
    new.changed_at := now();
    return new;
end
$$;
create trigger entry_moves before update of state on entry
    for each row when (old.state is distinct from new.state) execute function refuse_illegal_move();

-- Bodies: the source exactly as received, and what each mapping made of it. `at` is the entry's detected_at, so that a
-- look-up touches one partition.
create table body (
    entry_id bigint not null,
    kind text not null check (kind in ('source', 'mapped')),
    round integer not null,
    at timestamptz not null,
    raw bytea not null,
    digest text not null
) partition by range (at);
create unique index body_once on body (entry_id, kind, round, at);

create table event (
    id bigint generated always as identity,
    entry_id bigint not null,
    was text not null,
    becomes text not null,
    happened_at timestamptz not null default now(),
    recorded_at timestamptz not null default clock_timestamp(),
    actor text not null,
    why text not null default '',
    detail text not null default '',
    xid xid8 not null default pg_current_xact_id()
) partition by range (recorded_at);
create index event_entry on event (entry_id);
create index event_xid on event (xid);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end
$$;
create trigger event_append_only before update or delete on event
    for each row execute function refuse_change();
create trigger event_no_truncate before truncate on event
    for each statement execute function refuse_change();

-- The bounds are months of UTC, whatever zone the session is in. A month that has rows in the default partition already
-- (nobody made room in time) stays there: a partition of its own would be refused, and `event` lets no row be moved.
create function ensure_partitions(from_month date, months integer) returns void language plpgsql
set timezone = 'UTC' as $$
declare
    parent text;
    field text;
    month date;
    part text;
    taken boolean;
begin
    perform pg_advisory_xact_lock(hashtextextended('ensure_partitions', 0));
    foreach parent in array array['event', 'body'] loop
        field := case parent when 'event' then 'recorded_at' else 'at' end;
        for step in 0..months loop
            month := (date_trunc('month', from_month) + make_interval(months => step))::date;
            part := parent || '_' || to_char(month, 'YYYYMM');
            continue when to_regclass(part) is not null;
            execute format('select exists (select 1 from %I where %I >= %L and %I < %L)', parent || '_default', field,
                           month::timestamptz, field, (month + interval '1 month')::timestamptz) into taken;
            continue when taken;
            execute format('create table %I partition of %I for values from (%L) to (%L)',
                           part, parent, month::timestamptz, (month + interval '1 month')::timestamptz);
            if parent = 'event' then
                execute format('create trigger event_no_truncate before truncate on %I '
                               'for each statement execute function refuse_change()', part);
            end if;
        end loop;
    end loop;
end
$$;
create table event_default partition of event default;
create table body_default partition of body default;
create trigger event_no_truncate before truncate on event_default
    for each statement execute function refuse_change();
select ensure_partitions((now() - interval '1 month')::date, 4);

-- Digests over batches of events, each on top of the one before: a later edit breaks the chain.
create table seal (
    id bigint generated always as identity primary key,
    below_xid xid8 not null,
    events bigint not null,
    digest text not null,
    sealed_at timestamptz not null default now()
);
create trigger seal_append_only before update or delete on seal
    for each row execute function refuse_change();
create trigger seal_no_truncate before truncate on seal
    for each statement execute function refuse_change();

create table message (
    id uuid primary key,
    queue text not null,
    entries bigint[] not null,
    written_at timestamptz not null default now(),
    handed_over_at timestamptz,
    picked_up_at timestamptz,
    ended_at timestamptz,
    outcome text not null default ''
) with (fillfactor = 70);

create table cause (
    id bigint generated always as identity primary key,
    code text not null,
    company text not null,
    value text not null,
    remedy text not null,
    status text not null default 'open' check (status in ('open', 'acknowledged', 'cleared')),
    since timestamptz not null default now(),
    cleared_at timestamptz
);
create unique index cause_open on cause (code, company, value) where status <> 'cleared';

create table finding (
    id bigint generated always as identity primary key,
    entry_id bigint not null,
    round integer not null,
    at timestamptz not null default now(),
    code text not null,
    field text not null,
    value text not null,
    company text not null,
    message text not null,
    remedy text not null,
    cause_id bigint not null references cause,
    open boolean not null default true
);
create index finding_entry on finding (entry_id);
create index finding_cause on finding (cause_id) where open;

create table effect (
    id bigint generated always as identity primary key,
    entry_id bigint not null,
    target text not null,
    flow text not null,
    key text not null,
    version bigint not null,
    step text not null,
    round integer not null,
    state text not null check (state in ('INTENT', 'APPLIED', 'REFUSED', 'UNKNOWN')),
    request text not null,
    digest text not null,
    marker text not null default '',
    intent_at timestamptz not null default now(),
    ended_at timestamptz,
    answer_digest text not null default '',
    detail text not null default '',
    call_key text not null default '',
    -- A create that was looked for in vain and sent again, and when a second look made sure that it left no twin.
    unfound boolean not null default false,
    rechecked_at timestamptz,
    actor text not null
) with (fillfactor = 80);
create unique index effect_once on effect (target, flow, key, version, step, round);
-- One live attempt per step, and one create per record and target, ever.
create unique index effect_create on effect (target, flow, key)
    where step = 'create' and state in ('INTENT', 'UNKNOWN', 'APPLIED');
create index effect_unresolved on effect (flow, key) where state in ('INTENT', 'UNKNOWN');
create index effect_entry on effect (entry_id);
create index effect_unfound on effect (id) where unfound and rechecked_at is null;

create table link (
    flow text not null,
    ifs_key text not null,
    cin7_account text not null,
    cin7_id text not null,
    cin7_number text not null default '',
    written bytea not null,
    version bigint not null,
    verified boolean not null default false,
    origin text not null default 'created',
    written_at timestamptz not null default now(),
    primary key (flow, ifs_key, cin7_account)
) with (fillfactor = 80);
create unique index link_cin7 on link (flow, cin7_account, cin7_id);

create table lease (
    name text primary key,
    generation bigint not null default 0,
    holder text not null default '',
    until timestamptz not null default '-infinity'
);

create table watermark (
    stream text primary key,
    position text,
    generation bigint not null default 0,
    start_from text not null default '',
    swept_at timestamptz,
    due_at timestamptz not null default '-infinity',
    updated_at timestamptz not null default now()
);

-- Cin7's reference data as last read, and a revision that every process compares before it trusts its cache.
create table reference (
    account text not null,
    kind text not null,
    body bytea not null,
    digest text not null,
    read_at timestamptz not null default now(),
    primary key (account, kind)
);
create table rules_revision (
    singleton boolean primary key default true check (singleton),
    revision bigint not null default 0
);
insert into rules_revision default values;

-- Suppliers that Cin7 already holds, for first contact.
create table cin7_supplier (
    account text not null,
    id text not null,
    name text not null,
    tax_number text not null,
    marker text not null,
    status text not null,
    body bytea not null,
    read_at timestamptz not null default now(),
    primary key (account, id)
);
create table cin7_supplier_read (
    account text primary key,
    since text not null,
    read_at timestamptz not null default now(),
    revision bigint not null default 1
);
