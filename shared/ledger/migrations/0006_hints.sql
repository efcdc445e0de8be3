-- What calls from outside say may have changed in Cin7, our webhooks there, and what people said is not the same.
-- depends: 0001_ledger

-- One row per record that was ever named: that it may have changed, and nothing else of what the call said.
create table hint (
    account text not null,
    kind text not null,
    target text not null,
    -- Calls that named it, and how many of them a read has answered: a reader ends those it knew of when it began.
    calls bigint not null default 1,
    answered bigint not null default 0,
    -- When the oldest call that is not answered came, and the last of all.
    since timestamptz not null default clock_timestamp(),
    last_at timestamptz not null default clock_timestamp(),
    due_at timestamptz not null default '-infinity',
    lease_until timestamptz,
    attempts integer not null default 0,
    read_at timestamptz,
    primary key (account, kind, target)
) with (fillfactor = 70);
create index hint_waiting on hint (account, since) where answered < calls;

-- What became of hints, by account: rows of `hint` are removed when they are old.
create table hint_tally (
    account text primary key,
    calls bigint not null default 0,
    reads bigint not null default 0,
    dropped bigint not null default 0
);

-- Our own webhooks in Cin7. `secret_at`: when the secret that it bears was stored. `state` as Cin7 said last.
create table webhook (
    account text not null,
    type text not null,
    id text not null,
    url text not null,
    secret_at timestamptz not null,
    state text not null default 'on' check (state in ('on', 'off', 'gone')),
    since timestamptz not null default now(),
    looked_at timestamptz not null default now(),
    look_due_at timestamptz not null default now(),
    error text not null default '',
    primary key (account, type)
);

-- Pairs of suppliers that a person said are two, or took that back; the newest row of a pair counts. `one` and `other`
-- are `ifs/KEY` or `cin7/ID`, in order; `account` is empty where both are of IFS.
create table rejection (
    id bigint generated always as identity primary key,
    account text not null,
    one text not null,
    other text not null,
    rejected boolean not null,
    who text not null,
    why text not null,
    decided_at timestamptz not null default now()
);
create index rejection_pair on rejection (account, one, other, id);
create index rejection_other on rejection (account, other, one, id);
create trigger rejection_append_only before update or delete on rejection
    for each row execute function refuse_change();
create trigger rejection_no_truncate before truncate on rejection
    for each statement execute function refuse_change();
