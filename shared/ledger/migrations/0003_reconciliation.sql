-- The proof of a month: business dates of what was seen, purchases as last read, differences and who decided about
-- them; and backfills.

-- The record's business date, as it was last seen; null where it has none, or was not seen since this column exists.
alter table record add column dated date;
create index record_dated on record (flow, dated) where dated is not null;

-- What a purchase of Cin7 held when it was last read in whole, and the `LastUpdatedDate` it showed then. While the list
-- shows the same, nobody has changed it, and it need not be read again.
create table cin7_purchase (
    account text not null,
    id text not null,
    stamp text not null,
    body bytea not null,
    read_at timestamptz not null default now(),
    primary key (account, id)
) with (fillfactor = 80);

-- One comparison of a month. `companies` empty: of all companies.
create table reconciliation (
    id bigint generated always as identity primary key,
    period text not null,
    companies text[] not null,
    flows text[] not null,
    actor text not null,
    started_at timestamptz not null default now(),
    finished_at timestamptz,
    outcome text not null default 'running' check (outcome in ('running', 'done', 'failed', 'abandoned', 'overtaken')),
    error text not null default '',
    open integer not null default 0,
    report bytea
);
create index reconciliation_period on reconciliation (period, id);

-- One difference between two sides that are next to each other (IFS and the ledger, the ledger and Cin7) about one
-- document in one month. It is the same one as long as it is there, whatever its reason; `digest` tells one substance
-- from another, so that what was accepted is not taken for something else.
create table difference (
    id bigint generated always as identity primary key,
    period text not null,
    flow text not null,
    key text not null,
    step text not null check (step in ('ifs', 'cin7')),
    document text not null,
    company text not null,
    cin7_account text not null,
    kind text not null,
    state text not null check (state in ('open', 'explained', 'accepted', 'closed')),
    owner text not null default '',
    note text not null default '',
    digest text not null,
    body bytea not null,
    seen_in bigint not null references reconciliation,
    opened_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    unique (period, flow, key, step)
) with (fillfactor = 80);
create index difference_open on difference (period, kind) where state = 'open';

-- What happened to each difference: found, changed, assigned, accepted, gone; by a comparison or by a person.
create table difference_event (
    id bigint generated always as identity primary key,
    difference_id bigint not null references difference,
    reconciliation_id bigint references reconciliation,
    was text not null,
    becomes text not null,
    kind text not null,
    owner text not null,
    digest text not null,
    actor text not null,
    reason text not null default '',
    at timestamptz not null default clock_timestamp()
);
create index difference_event_of on difference_event (difference_id);
create trigger difference_event_append_only before update or delete on difference_event
    for each row execute function refuse_change();
create trigger difference_event_no_truncate before truncate on difference_event
    for each statement execute function refuse_change();

-- One span of business dates that is brought in after the fact. `position` is where its reading goes on. Once it has been
-- read, documents of the span count as dated after the start.
create table backfill (
    id bigint generated always as identity primary key,
    flow text not null,
    first date,
    last date,
    position text,
    pages integer not null default 0,
    rows integer not null default 0,
    taken integer not null default 0,
    unchanged integer not null default 0,
    left_out integer not null default 0,
    actor text not null,
    begun_at timestamptz not null default now(),
    read_at timestamptz,
    stopped_at timestamptz
);
create unique index backfill_once on backfill (flow, first, last) nulls not distinct
    where read_at is null and stopped_at is null;
alter table entry add column backfill_id bigint references backfill;
create index entry_backfill on entry (backfill_id) where backfill_id is not null;
-- Entries of a backfill that were not let go yet: `due_at` is infinity. And those that are on their way.
create index entry_parked on entry (id) where state = 'detected' and due_at = 'infinity';
create index entry_let_go on entry (id)
    where backfill_id is not null and state in ('detected', 'mapped', 'retrying') and due_at < 'infinity';
